/** Bugs in what is said: the laws one-terminal, once, stream, order and agreement. */
import type { Mutant } from "../jobs.ts"

const channel = "src/layers/channel"
const platform = "src/layers/platform"

export const replies: ReadonlyArray<Mutant> = [
  {
    name: "forget the dedupe (memory)",
    law: "once",
    complaint: 1,
    patches: [
      {
        file: `${channel}/MemoryJournal.ts`,
        find: "if (known !== undefined) return",
        replace: "if (known !== undefined && known.order < 0) return"
      }
    ]
  },
  {
    name: "forget the dedupe after a restart",
    law: "once",
    complaint: 5,
    profile: "crash",
    patches: [
      {
        file: `${channel}/SqlJournal.ts`,
        find: "if (hashed !== undefined && index.rowOf(hashed) !== undefined) {",
        replace: "if (hashed === -1) {"
      }
    ]
  },
  {
    name: "say yes before the commit",
    law: "once",
    profile: "crash",
    rare: true,
    patches: [
      {
        file: `${channel}/journalGroups.ts`,
        find: 'for (const job of jobs) yield* job.run\n      yield* execute("COMMIT")',
        replace:
          'for (const job of jobs) {\n        yield* job.run\n        job.succeed()\n      }\n      yield* execute("COMMIT")'
      }
    ]
  },
  {
    name: "skip the sync",
    law: "once",
    profile: "power",
    patches: [
      {
        file: "src/programs/simulation/Plan.ts",
        find: 'durability: profile.death === "power" ? "full" : "normal"',
        replace: 'durability: "normal"'
      }
    ]
  },
  {
    name: "resend the terminal",
    law: "one-terminal",
    complaint: 1,
    patches: [
      {
        file: `${channel}/ReplyEnd.ts`,
        find: "? restore(send(reply, steps))",
        replace: "? restore(Effect.andThen(send(reply, steps), send(reply, steps.slice(-1))))"
      }
    ]
  },
  {
    name: "leave what a dead process had begun",
    law: "one-terminal",
    complaint: 11,
    profile: "crash",
    patches: [
      {
        file: `${channel}/StreamingDispatcher.ts`,
        find: "for (const entry of yield* journal.unfinished(accountId)) {",
        replace: "for (const entry of (yield* journal.unfinished(accountId)).slice(0, 0)) {"
      }
    ]
  },
  {
    name: "cut an emoji",
    law: "stream",
    complaint: 12,
    patches: [
      {
        file: "src/services/protocol/Graphemes.ts",
        find: "if (isPlain(before) && isPlain(after)",
        replace: "if (before >= 0 && isPlain(97)"
      }
    ]
  },
  {
    name: "send half a character",
    law: "stream",
    complaint: 12,
    patches: [
      {
        file: "src/services/protocol/Graphemes.ts",
        find: "let end = text.length\n",
        replace: "let end = text.length\n  if (end > 0) return end\n"
      }
    ]
  },
  {
    name: "take a snapshot for a delta",
    law: "stream",
    complaint: 3,
    patches: [
      {
        file: `${platform}/LiveReply.ts`,
        find: "if (update.text.startsWith(reply.text)) settle(reply, update.text)",
        replace: 'if (update.text !== "") append(reply, update.text)'
      }
    ]
  },
  {
    name: "tell on over a hole",
    law: "stream",
    complaint: 2,
    patches: [
      {
        file: `${platform}/LiveReply.ts`,
        find: "if (!follows(reply, update.sequence, before)) reply.lacks = true",
        replace: "if (update.sequence < 0) reply.lacks = true"
      }
    ]
  },
  {
    name: "take a repeat for new deltas",
    law: "stream",
    rare: true,
    patches: [
      {
        file: `${platform}/LiveReply.ts`,
        find: 'if (update._tag === "Opened" && update.sequence !== undefined && reply.agentSequence >= update.sequence) {',
        replace: 'if (update._tag === "Opened" && update.sequence === -1) {'
      }
    ]
  },
  {
    name: "lose the last words",
    law: "stream",
    patches: [
      {
        file: "src/services/protocol/ReplyLog.ts",
        find: "if (rest !== undefined) steps.push(rest)",
        replace: "if (rest?.sequence === -1) steps.push(rest)"
      }
    ]
  },
  {
    name: "lose the text before a tool call",
    law: "agreement",
    complaint: 4,
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: 'let text = ""\n    for (const part of parts) {',
        replace: 'let text = ""\n    if (parts.length > 3) return Effect.void\n    for (const part of parts) {'
      }
    ]
  },
  {
    name: "store a trimmed text",
    law: "agreement",
    patches: [
      {
        file: `${platform}/SqlSessions.ts`,
        find: "reply_text = ${toText(text)},",
        replace: "reply_text = ${toText(text).trimEnd()},"
      }
    ]
  },
  {
    name: "drop on full",
    law: "stream",
    complaint: 2,
    profile: "narrow",
    patches: [
      {
        file: `${channel}/Writer.ts`,
        find: "if (!this.outbox.offer(frames, bytes)) return this.#stand(frames)",
        replace: "if (!this.outbox.offer(frames, bytes)) return Effect.void"
      }
    ]
  },
  {
    name: "the mailbox newest first",
    law: "order",
    patches: [
      {
        file: `${platform}/SqlSessions.ts`,
        find: "ORDER BY ordinal LIMIT ${rows.toLimit(limit)}",
        replace: "ORDER BY ordinal DESC LIMIT ${rows.toLimit(limit)}"
      }
    ]
  },
  {
    name: "two replies of one session at once",
    law: "order",
    patches: [
      {
        file: `${channel}/Lanes.ts`,
        find: "return behind === undefined\n",
        replace: "return behind === undefined || behind.length === 3\n"
      }
    ]
  },
  {
    name: "the first words taken for all",
    law: "agreement",
    complaint: 4,
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: "Stream.runForEachArray(runtime.reply(reply.turn), (parts) => take(reply, parts))",
        replace: "Stream.runForEachArray(Stream.take(runtime.reply(reply.turn), 3), (parts) => take(reply, parts))"
      }
    ]
  },
  {
    name: "two replies of one session at once, where seven wait",
    law: "order",
    rare: true,
    patches: [
      {
        file: `${channel}/Lanes.ts`,
        find: "return behind === undefined\n",
        replace: "return behind === undefined || behind.length === 7\n"
      }
    ]
  }
]
