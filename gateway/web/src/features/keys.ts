/** The names of the cached answers, in one place, as live events and mutations touch those of other features. */
export const keys = {
  dashboard: ["dashboard"],
  cards: ["cards"],
  factories: ["factories"],
  order: (id: string) => ["order", id],
  reviewsOf: (orderId: string) => ["order", orderId, "reviews"],
  messages: (orderId: string) => ["messages", orderId],
  notifications: ["notifications"],
  profiles: ["profile"],
  profile: (organisationId: string) => ["profile", organisationId],
  preferences: ["preferences"],
  members: ["members"],
  invitations: ["invitations"],
  webhooks: ["webhooks"],
  deliveries: (webhookId: string) => ["webhooks", webhookId, "deliveries"],
} as const;
