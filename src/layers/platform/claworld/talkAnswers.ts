/**
 * What agents say of their deliveries: each is answered once, and the same again is success. What comes at the same
 * moment is stored in one transaction where that is cheaper (groupCommit).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Outgoing, Talks } from "../../../services/platform/Talks.ts"
import type { StoreError } from "../../../services/platform/PlatformError.ts"
import type { WorldRefusal } from "../../../services/platform/Worlds.ts"
import type * as Conversation from "../../../services/platform/Conversation.ts"
import type { DeliveryState } from "../../../services/protocol/ClaworldModels.ts"
import { bounds, readReply, silenceToken, type SilenceReason } from "../../../services/protocol/Worlds.ts"
import * as groupCommit from "../groupCommit.ts"
import { atEdge, toId, toNumber, toText } from "../sqlStore.ts"
import * as refusals from "./talkRefusals.ts"
import * as talkRows from "./talkRows.ts"
import type { Steps } from "./talkSteps.ts"

type What =
  | { readonly _tag: "Accepted" }
  | { readonly _tag: "Replied"; readonly text: string }
  | { readonly _tag: "KeptSilent"; readonly reason: SilenceReason }

interface Item {
  readonly agentId: string
  readonly deliveryId: string
  readonly what: What
}

/** A refusal is an answer too: what was found out on the way to it (words that came too late) is stored and told. */
interface Answer {
  readonly result: Effect.Effect<typeof DeliveryState.Type, WorldRefusal>
  readonly outgoing: ReadonlyArray<Outgoing>
}

type Answers = Pick<Talks["Service"], "accepted" | "replied" | "keptSilent">

const done = (deliveryId: string, state: talkRows.DeliveryStatus, outgoing: ReadonlyArray<Outgoing> = []): Answer => ({
  result: Effect.succeed({ deliveryId, state }),
  outgoing
})

const refuse = (refusal: WorldRefusal, outgoing: ReadonlyArray<Outgoing> = []): Answer => ({
  result: Effect.fail(refusal),
  outgoing
})

/** What was said as it is kept and passed on; nothing that can be shown is a silence. */
const read = (
  text: string,
  by: Conversation.Side,
  turn: number,
  at: number
): Extract<Conversation.Happening, { readonly _tag: "Said" | "KeptSilent" }> => {
  const clean = toText(text)
  if (clean.trim() === silenceToken) return { _tag: "KeptSilent", by, turn, reason: "no_reply_token", at }
  const said = readReply(clean)
  return said.text === "" && !said.raisedHand
    ? { _tag: "KeptSilent", by, turn, reason: "no_renderable_reply", at }
    : { _tag: "Said", by, turn, ...said, at }
}

const target = { Accepted: "accepted", Replied: "replied", KeptSilent: "kept_silent" } as const

export const make = (
  sql: SqlClient,
  { apply, lock, run, settleEnd }: Steps,
  announce: (outgoing: ReadonlyArray<Outgoing>) => Effect.Effect<void>
): Answers => {
  const close = (deliveryId: string, state: talkRows.DeliveryStatus, isOpen = false) =>
    run("UPDATE deliveries SET state = ?, open = ? WHERE delivery_id = ?", [state, isOpen ? 1 : 0, deliveryId])

  const answerOpen = Effect.fnUntraced(function* (
    { what }: Item,
    delivery: talkRows.DeliveryRow,
    row: talkRows.ConversationRow,
    now: number
  ) {
    const { delivery_id } = delivery
    const isNotice = delivery.type === "notice"
    if (isNotice) {
      if (what._tag === "Replied") return refuse(refusals.nothingToAnswer())
      yield* close(delivery_id, target[what._tag])
      yield* settleEnd(row, now)
      return done(delivery_id, target[what._tag])
    }
    if (what._tag === "Accepted") {
      if (delivery.state === "pending") yield* close(delivery_id, "accepted", true)
      return done(delivery_id, "accepted")
    }
    const by = talkRows.sideOf(row, delivery.agent_id)
    const turn = toNumber(delivery.turn)
    const happening =
      what._tag === "KeptSilent"
        ? ({ _tag: "KeptSilent", by, turn, reason: what.reason, at: now } as const)
        : read(what.text, by, turn, now)
    const before = toNumber(row.turn)
    // Closed first: what the end of a talk lets expire is what is still open then.
    yield* close(delivery_id, target[what._tag])
    const { outgoing, talk } = yield* apply(row, happening, now)
    const isTaken = talk !== undefined && (talk.turn > before || (talk.turn === 0 && happening._tag === "KeptSilent"))
    if (!isTaken) {
      yield* close(delivery_id, "expired")
      return refuse(refusals.deliveryClosed(), outgoing)
    }
    return done(delivery_id, target[what._tag], outgoing)
  })

  const answer = Effect.fnUntraced(function* (item: Item) {
    const now = yield* Clock.currentTimeMillis
    const id = toId(item.deliveryId)
    const found = run<talkRows.DeliveryRow>(
      "SELECT delivery_id, agent_id, conversation_id, type, turn, state FROM deliveries WHERE delivery_id = ? AND agent_id = ?",
      [id, item.agentId]
    )
    let [delivery] = yield* found
    if (delivery === undefined) return refuse(refusals.noDelivery())
    // That a turn is in the agent's hands changes nothing of the talk.
    if (item.what._tag === "Accepted" && delivery.type !== "notice" && delivery.state === "pending") {
      yield* run("UPDATE deliveries SET state = 'accepted' WHERE delivery_id = ? AND state = 'pending'", [id])
      return done(id, "accepted")
    }
    const row = yield* lock(delivery.conversation_id)
    // Read again under the lock, where others may have answered meanwhile.
    delivery = (yield* sql.onDialectOrElse({ pg: () => found, orElse: () => Effect.succeed([delivery]) }))[0]
    if (delivery === undefined || row === undefined) return refuse(refusals.noDelivery())
    switch (delivery.state) {
      case "pending":
        return yield* answerOpen(item, delivery, row, now)
      case "accepted":
        return delivery.type === "notice"
          ? done(delivery.delivery_id, "accepted")
          : yield* answerOpen(item, delivery, row, now)
      case "expired":
        return refuse(refusals.deliveryClosed())
      case "replied":
      case "kept_silent":
        return item.what._tag === "Accepted" || target[item.what._tag] === delivery.state
          ? done(delivery.delivery_id, delivery.state)
          : refuse(refusals.deliveryClosed())
    }
  })

  const inGroup = groupCommit.make<Item, Answer, never>(sql, (_, items) =>
    Effect.forEach(items, (item) => Effect.map(answer(item), (one) => Effect.succeed(one)))
  )
  const submit: (item: Item) => Effect.Effect<Answer, StoreError> = sql.onDialectOrElse({
    pg: () => (item: Item) => atEdge(sql.withTransaction(answer(item))),
    orElse: () => inGroup
  })

  const say = (agentId: string, deliveryId: string, what: What) =>
    submit({ agentId, deliveryId, what }).pipe(
      Effect.tap(({ outgoing }) => announce(outgoing)),
      Effect.flatMap(({ result }) => result),
      // Whoever goes away in the middle leaves nobody without the words that were stored.
      Effect.uninterruptible
    )

  return {
    accepted: (agentId, deliveryId) => say(agentId, deliveryId, { _tag: "Accepted" }),
    keptSilent: (agentId, deliveryId, reason) => say(agentId, deliveryId, { _tag: "KeptSilent", reason }),
    replied: (agentId, deliveryId, text) =>
      text.length > bounds.turnText * 2 || [...text].length > bounds.turnText
        ? Effect.fail(refusals.tooLong(bounds.turnText))
        : say(agentId, deliveryId, { _tag: "Replied", text })
  }
}
