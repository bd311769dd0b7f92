/** Bugs in Claworld: the laws one-conversation, turn-order, hands, online-only and kickoff-once. */
import type { Mutant, Patch } from "../jobs.ts"

const claworld = "src/layers/platform/claworld"
const conversation = "src/services/platform/Conversation.ts"
const relay = "src/layers/worlds/LiveRelay.ts"
const migrations = "src/layers/platform/Migrations.ts"

/** The database holds some laws by itself: the code under test is looked at without that. */
const manyPending: Patch = {
  file: migrations,
  find: "CREATE UNIQUE INDEX chat_requests_pending",
  replace: "CREATE INDEX chat_requests_pending"
}
const manyTalks: Patch = {
  file: migrations,
  find: "CREATE UNIQUE INDEX conversations_open",
  replace: "CREATE INDEX conversations_open"
}
const manyDeliveries: ReadonlyArray<Patch> = [
  { file: migrations, find: ",\n    UNIQUE (conversation_id, turn, type, agent_id)", replace: "" },
  {
    file: `${claworld}/talkSteps.ts`,
    find: "_${turn}${type.slice(0, 1)}${side.slice(0, 1)}`",
    replace: "_${turn}${type.slice(0, 1)}${side.slice(0, 1)}${Number(row.updated_at) % 1e9}`"
  }
]

export const talks: ReadonlyArray<Mutant> = [
  {
    name: "take two requests that cross for two",
    law: "one-conversation",
    patches: [
      manyPending,
      {
        file: `${claworld}/talkRequests.ts`,
        find: "    if (pending !== undefined) {\n",
        replace: "    if (pending !== undefined && pending.requester_id === '') {\n"
      }
    ]
  },
  {
    name: "ask for a talk although one is under way",
    law: "one-conversation",
    patches: [
      manyTalks,
      {
        file: `${claworld}/talkRequests.ts`,
        find: "WHERE conversation_key = ${key} AND ${sql.literal(talkRows.underWay)}`",
        replace: "WHERE conversation_key = ${`${key} `} AND ${sql.literal(talkRows.underWay)}`"
      }
    ]
  },
  {
    name: "begin another talk when it is accepted again",
    law: "one-conversation",
    patches: [
      manyTalks,
      {
        file: `${claworld}/talkRequests.ts`,
        find: '        if (status === "accepted") {\n',
        replace:
          '        if (status === "accepted") return yield* begin(row, now)\n        if (row.requester_id === "") {\n'
      }
    ]
  },
  {
    name: "forget which delivery it was",
    law: "turn-order",
    patches: [
      {
        file: relay,
        find: "sessionId: sessionKey, messageId: deliveryId }",
        replace: "sessionId: sessionKey, messageId: undefined }"
      }
    ]
  },
  {
    name: "take an answer that comes again for the next turn",
    law: "turn-order",
    patches: [
      { file: conversation, find: "talk.speaker === by && turn === talk.turn + 1", replace: "talk.speaker === by" },
      {
        file: `${claworld}/talkAnswers.ts`,
        find: '      case "expired":\n',
        replace:
          '      case "replied":\n        return yield* answerOpen(item, delivery, row, now)\n      case "expired":\n'
      }
    ]
  },
  {
    name: "tell an agent its own words",
    law: "turn-order",
    patches: [
      {
        file: `${claworld}/talkSteps.ts`,
        find: 'deliver(row, outcome.to, "turn"',
        replace: 'deliver(row, Conversation.otherSide(outcome.to), "turn"'
      }
    ]
  },
  {
    name: "lose what is to be told from the fourth turn on",
    law: "turn-order",
    patches: [
      {
        file: `${claworld}/talkSteps.ts`,
        find: "    yield* run(texts.delivery, Object.values(delivery))\n",
        replace: '    if (type !== "turn" || turn < 4) yield* run(texts.delivery, Object.values(delivery))\n'
      }
    ]
  },
  {
    name: "confirm before it is stored",
    law: "turn-order",
    patches: [
      {
        file: `${claworld}/RelaySocket.ts`,
        find: "      stored(frame, seat.agentId).pipe(\n",
        replace:
          "      Effect.andThen(Effect.sync(() => SocketPeer.write(ws, [confirm(frame)])), stored(frame, seat.agentId)).pipe(\n"
      }
    ]
  },
  {
    name: "one hand is enough where two are asked for",
    law: "hands",
    patches: [
      {
        file: conversation,
        find: "return hands.requester && hands.peer",
        replace: "return hands.requester || hands.peer"
      }
    ]
  },
  {
    name: "forget the other one's hand",
    law: "hands",
    patches: [
      {
        file: conversation,
        find: "{ ...talk.hands, [happening.by]: true }",
        replace: "{ requester: false, peer: false, [happening.by]: true }"
      }
    ]
  },
  {
    name: "one turn too many",
    law: "hands",
    patches: [{ file: conversation, find: "turn >= talk.policy.maxTurns", replace: "turn > talk.policy.maxTurns" }]
  },
  {
    name: "a silence long ago counts as well",
    law: "hands",
    patches: [
      {
        file: conversation,
        find: "isSilence ? talk.silences + 1 : 0",
        replace: "isSilence ? talk.silences + 1 : talk.silences"
      }
    ]
  },
  {
    name: "take words that come too late",
    law: "hands",
    patches: [
      {
        file: conversation,
        find: "      if (isLate(talk, happening.at)) return timeOut(talk)\n      const hands",
        replace: "      const hands"
      }
    ]
  },
  {
    name: "never look for turns that take too long",
    law: "hands",
    patches: [
      {
        file: `${claworld}/SqlTalks.ts`,
        find: "WHERE due_at IS NOT NULL AND due_at <= ${now} ORDER BY",
        replace: "WHERE due_at IS NOT NULL AND due_at <= ${now - 60_000} ORDER BY"
      }
    ]
  },
  {
    name: "ask one who is offline",
    law: "online-only",
    patches: [
      {
        file: `${claworld}/talkChecks.ts`,
        find: "if (!talkRows.isOnline(target, wanted.now)) return",
        replace: "if (target.agent_id === '') return"
      }
    ]
  },
  {
    name: "show candidates whose time has run out",
    law: "online-only",
    patches: [
      { file: `${claworld}/candidateFeed.ts`, find: "AND a.online_until > ${now} AND", replace: "AND ${now} > 0 AND" }
    ]
  },
  {
    name: "a socket that is merely open counts as online",
    law: "online-only",
    patches: [
      {
        file: `${claworld}/relayRounds.ts`,
        find: " || now() - seat.heardAt > times.silence) continue",
        replace: ") continue"
      }
    ]
  },
  {
    name: "ask for first words with each connection",
    law: "kickoff-once",
    patches: [
      ...manyDeliveries,
      {
        file: conversation,
        find: 'talk.status === "opening" && talk.kickoff === "queued"',
        replace: 'talk.status === "opening"'
      },
      {
        file: `${claworld}/SqlTalks.ts`,
        find: "WHERE requester_id = ${agentId} AND kickoff = 'queued'`",
        replace: "WHERE requester_id = ${agentId} AND kickoff IN ('queued', 'sent')`"
      }
    ]
  },
  {
    name: "ask for first words again after a crash",
    law: "kickoff-once",
    patches: [
      {
        file: relay,
        find: '      acceptance._tag === "Known"\n        ? {',
        replace: '      acceptance._tag === "Known" && metadata.deliveryType !== "kickoff"\n        ? {'
      },
      {
        file: relay,
        find: "for (const entry of yield* journal.unfinished(own)) {",
        replace: "for (const entry of (yield* journal.unfinished(own)).slice(0, 0)) {"
      }
    ]
  },
  {
    name: "let another request bring first words that were asked for",
    law: "kickoff-once",
    patches: [
      ...manyDeliveries,
      {
        file: conversation,
        find: 'talk.status === "silent" && talk.kickoff === "skipped"\n',
        replace: "talk.turn === 0\n"
      }
    ]
  },
  {
    name: "last words wait for ever",
    law: "drain",
    patches: [
      {
        file: `${claworld}/talkAnswers.ts`,
        find: "      yield* settleEnd(row, now)\n",
        replace: ""
      }
    ]
  }
]
