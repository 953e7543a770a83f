import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import type { Message } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { markReadByOtherSide, receiveMessage } from "@/features/chat/cache";
import { showTyping, type Typing } from "@/features/chat/typing";
import { keys } from "@/features/keys";
import { Gather } from "@/gather";
import { type LiveEvent, LiveStream, useLiveState } from "@/live";
import { ME } from "@/queries";

const Stream = createContext<LiveStream | null>(null);

/** Which of the cached answers an event makes stale. */
export function touchedBy({ type, subject }: LiveEvent): QueryKey[] {
  const lists = [keys.dashboard, keys.cards];
  switch (type) {
    case "notification.created.v1":
      return [keys.notifications, keys.dashboard];
    case "message.sent.v1":
    case "message.read.v1":
      return lists;
    case "order.created.v1":
      return lists;
    default:
      return subject ? [...lists, keys.order(subject), keys.profiles] : lists;
  }
}

export function LiveUpdates({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { organisation } = useAccount();
  const side = organisation.kind;
  const [stream, setStream] = useState<LiveStream | null>(null);

  useEffect(() => {
    const stale = new Gather<QueryKey>((queryKeys) =>
      Promise.all(queryKeys.map((queryKey) => client.invalidateQueries({ queryKey }))),
    );

    function onEvent(event: LiveEvent) {
      if (event.type === "message.sent.v1") {
        const { order_id, message } = event.data as unknown as { order_id: string; message: Message };
        receiveMessage(client, order_id, message);
      }
      if (event.type === "message.read.v1") {
        const {
          order_id,
          side: reader,
          up_to,
        } = event.data as { order_id: string; side: string; up_to: number };
        if (reader !== side) markReadByOtherSide(client, order_id, side, up_to);
      }
      if (event.type === "message.typing.v1") {
        showTyping(event.data as unknown as Typing, { ownSide: side });
        return;
      }
      for (const key of touchedBy(event)) stale.add(key);
    }

    const live = new LiveStream(
      onEvent,
      () => void client.invalidateQueries(),
      // Learns that the session is over: then the answer to "who am I" is 401.
      // A question that is on its way is let answer, however often the line breaks.
      () => void client.invalidateQueries({ queryKey: ME }, { cancelRefetch: false }),
    );
    live.start();
    setStream(live);
    return () => {
      stale.stop();
      live.stop();
    };
  }, [client, side]);

  if (!stream) return null;
  return <Stream.Provider value={stream}>{children}</Stream.Provider>;
}

export function useLive() {
  const stream = useContext(Stream);
  if (!stream) throw new Error("the live stream is only there below LiveUpdates");
  return useLiveState(stream);
}
