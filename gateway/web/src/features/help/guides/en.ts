import type { Guides } from "./guide";

const guides: Guides = {
  "submitting-quotes": {
    title: "How to submit a quote",
    summary: "What a quote needs so that it can become an order without questions.",
    sections: [
      {
        title: "Where quotes are made",
        text: [
          "You write quotes in the quoting part of the marketplace. Millrace takes over at the moment a buyer accepts one: an order appears by itself, with the number, quantity, price and deadline of the quote.",
        ],
      },
      {
        title: "What goes over into the order",
        text: ["Read these twice before you send a quote, because nobody types them again later."],
        list: [
          { term: "Product", text: "name, SKU if there is one, and the specification as agreed" },
          { term: "Quantity and unit price", text: "the total is worked out from them" },
          { term: "Deadline", text: "a calendar day in your factory's time zone" },
          { term: "Shipping terms and destination", text: "as the buyer will read them on the order" },
        ],
      },
      {
        title: "When the buyer accepts",
        text: [
          "You get a notification, and the order stands on your dashboard as Confirmed. One quote makes exactly one order, however often “accept” is pressed.",
        ],
      },
    ],
  },
  "managing-active-orders": {
    title: "Managing active orders",
    summary: "From the accepted quote to the review: what you do, and what the buyer sees of it.",
    sections: [
      {
        title: "Find your active orders",
        text: [
          "Sign in to the factory dashboard. Under the bar of figures come your active orders, the most urgent first. Each card names the product, the buyer, the quantity, the price, the deadline and the stage that the order has reached.",
          "Click a figure, such as “Due soon”, to see just those orders; search, filter and sort are above the cards. An order stays active until it is completed.",
        ],
        picture: "card",
      },
      {
        title: "Move an order to its next stage",
        text: [
          "Press Update status on the card, check the stage that is named, add a note if there is something to say, and confirm. The buyer sees the change at once, without reloading anything.",
          "Take a step only when the stage before it is really done: steps cannot be skipped or taken back. Keep the buyer informed at every stage; a prompt update saves you the question “how far are you?”.",
        ],
        picture: "update",
      },
      {
        title: "What the stages mean",
        text: [],
        list: [
          { term: "Confirmed", text: "the order stands and you are ready to begin" },
          { term: "In production", text: "manufacturing is under way" },
          {
            term: "Quality check",
            text: "the goods are inspected for defects and against the specification",
          },
          {
            term: "Shipped",
            text: "the goods have left; give carrier and tracking number with this step, or in the chat",
          },
          { term: "Delivered", text: "the buyer has confirmed that the goods arrived" },
          { term: "Completed", text: "the buyer has left a review" },
        ],
      },
      {
        title: "When the buyer stays silent",
        text: [
          "Only the buyer can say that goods arrived. While you wait, the card shows the day on which receipt counts as confirmed by itself, 30 days after shipping unless your marketplace chose otherwise. You can send a reminder once in 24 hours. Each side can put that day off once.",
          "An order that was delivered is completed after another 14 days even without a review, so that none hangs for ever.",
        ],
      },
      {
        title: "Talk with the buyer",
        text: [
          "Open chat on a card leads to the conversation about this one order: progress, questions about the specification, shipping details. Attach inspection photos, packing lists or production pictures with the paper clip: images, PDF, Word and Excel files of up to 20 MB.",
          "E-mail addresses, phone numbers, messenger names and links are blocked. Tracking, part and order numbers pass.",
        ],
        picture: "chat",
      },
      {
        title: "See what is unread",
        text: [
          "A red badge on a card counts the buyer's messages that you have not read, and the Open chat button turns red. Opening the chat clears both. Each colleague has a count of their own.",
        ],
        picture: "unread",
      },
      {
        title: "Completion and reviews",
        text: [
          "Once the buyer has confirmed receipt and left a review, the order is completed, and you can review the buyer in turn. Either side may answer the other's review once, in public.",
          "Completed orders and their reviews are shown on both profiles. Prices never are.",
        ],
      },
    ],
  },
  messaging: {
    title: "Messaging buyers: chat and file sharing",
    summary: "How the chat of an order works, which files it takes, and what it does not let through.",
    sections: [
      {
        title: "One chat for each order",
        text: [
          "Everybody in your organization and in the buyer's can read the chat of an order; viewers cannot write. Every step of the order also stands there as a line of its own, so that the conversation tells the whole story.",
          "Enter sends, Shift and Enter begins a new line. What you have typed is kept when you close the chat. If a message could not be sent it stays, with a button to try again; it never arrives twice.",
        ],
        picture: "chat",
      },
      {
        title: "Files",
        text: [
          "Use the paper clip, drag files into the chat or paste a picture. A message carries up to ten files.",
        ],
        list: [
          { term: "Images", text: "JPEG, PNG, WebP, GIF and HEIC; place and owner are removed from them" },
          { term: "Documents", text: "PDF, DOC, DOCX, XLS and XLSX" },
          { term: "Size", text: "20 MB each at most" },
        ],
      },
      {
        title: "Read and unread",
        text: [
          "One tick: sent. Two ticks: somebody on the other side has read it. Your own unread messages count on the card, in the bar of figures and on the tab of your browser.",
        ],
      },
      {
        title: "Contact information",
        text: [
          "The chat refuses messages with contact information, also when it is spelled out or spread over several messages. You see what was found, and your text is kept so that you can change it.",
          "If a message was refused without reason, say so by the link beside it: a person looks at it.",
        ],
      },
    ],
  },
};

export default guides;
