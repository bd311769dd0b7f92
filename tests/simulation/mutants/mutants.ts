/**
 * Bugs planted one at a time into a copy of the sources, to see whether the simulation can be trusted: each has to be
 * caught, by the law that it breaks. `complaint`: the number of the complaint of part C of the protocol's notes, what
 * users of such connectors suffer from.
 */
import type { Law } from "../../../src/programs/simulation/Laws.ts"

export interface Mutant {
  readonly name: string
  readonly law: Law
  readonly complaint?: number
  readonly profile?: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

const channel = "src/layers/channel"
const platform = "src/layers/platform"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "forget the dedupe (memory)",
    law: "once",
    complaint: 1,
    file: `${channel}/MemoryJournal.ts`,
    find: "if (known !== undefined) return",
    replace: "if (known !== undefined && known.order < 0) return"
  },
  {
    name: "forget the dedupe after a restart",
    law: "once",
    complaint: 5,
    profile: "crash",
    file: `${channel}/SqlJournal.ts`,
    find: "if (hashed !== undefined && index.rowOf(hashed) !== undefined) {",
    replace: "if (hashed === -1) {"
  },
  {
    name: "say yes before the commit",
    law: "once",
    profile: "crash",
    file: `${channel}/journalGroups.ts`,
    find: 'for (const job of jobs) yield* job.run\n      yield* execute("COMMIT")',
    replace:
      'for (const job of jobs) {\n        yield* job.run\n        job.succeed()\n      }\n      yield* execute("COMMIT")'
  },
  {
    name: "skip the sync",
    law: "once",
    profile: "power",
    file: "src/programs/simulation/Plan.ts",
    find: 'durability: profile.death === "power" ? "full" : "normal"',
    replace: 'durability: "normal"'
  },
  {
    name: "resend the terminal",
    law: "one-terminal",
    complaint: 1,
    file: `${channel}/ReplyEnd.ts`,
    find: "? restore(send(reply, steps))",
    replace: "? restore(Effect.andThen(send(reply, steps), send(reply, steps.slice(-1))))"
  },
  {
    name: "leave what a dead process had begun",
    law: "one-terminal",
    complaint: 11,
    profile: "crash",
    file: `${channel}/Account.ts`,
    find: "yield* dispatcher.recover.pipe(",
    replace: "yield* Effect.void.pipe("
  },
  {
    name: "leave a reply of an agent that is gone",
    law: "drain",
    complaint: 11,
    file: `${platform}/LiveBroker.ts`,
    find: "reply.deadline === undefined || reply.deadline > now",
    replace: "reply.deadline === undefined || reply.deadline > -now"
  },
  {
    name: "cut an emoji",
    law: "stream",
    complaint: 12,
    file: "src/services/protocol/Graphemes.ts",
    find: "if (isPlain(before) && isPlain(after)",
    replace: "if (before >= 0 && isPlain(97)"
  },
  {
    name: "send half a character",
    law: "stream",
    complaint: 12,
    file: "src/services/protocol/Graphemes.ts",
    find: "let end = text.length\n",
    replace: "let end = text.length\n  if (end > 0) return end\n"
  },
  {
    name: "take a snapshot for a delta",
    law: "stream",
    complaint: 3,
    file: `${platform}/LiveReply.ts`,
    find: "if (update.text.startsWith(reply.text)) settle(reply, update.text)",
    replace: 'if (update.text !== "") append(reply, update.text)'
  },
  {
    name: "tell on over a hole",
    law: "stream",
    complaint: 2,
    file: `${platform}/LiveReply.ts`,
    find: "if (!follows(reply, update.sequence, before)) reply.lacks = true",
    replace: "if (update.sequence < 0) reply.lacks = true"
  },
  {
    name: "take a repeat for new deltas",
    law: "stream",
    file: `${platform}/LiveReply.ts`,
    find: 'if (update._tag === "Opened" && update.sequence !== undefined && reply.agentSequence >= update.sequence) {',
    replace: 'if (update._tag === "Opened" && update.sequence === -1) {'
  },
  {
    name: "lose the last words",
    law: "stream",
    file: "src/services/protocol/ReplyLog.ts",
    find: "if (rest !== undefined) steps.push(rest)",
    replace: "if (rest?.sequence === -1) steps.push(rest)"
  },
  {
    name: "lose the text before a tool call",
    law: "agreement",
    complaint: 4,
    file: `${channel}/Replies.ts`,
    find: 'let text = ""\n    for (const part of parts) {',
    replace: 'let text = ""\n    if (parts.length > 3) return Effect.void\n    for (const part of parts) {'
  },
  {
    name: "store a trimmed text",
    law: "agreement",
    file: `${platform}/SqlSessions.ts`,
    find: "reply_text = ${toText(text)},",
    replace: "reply_text = ${toText(text).trimEnd()},"
  },
  {
    name: "one reply too many",
    law: "bounded",
    file: `${channel}/Replies.ts`,
    find: "Semaphore.make(maxConcurrent)",
    replace: "Semaphore.make(maxConcurrent + 1)"
  },
  {
    name: "reset the backoff at once",
    law: "bounded",
    complaint: 7,
    file: `${channel}/Supervisor.ts`,
    find: "if (line.status.attempt === 0) delays.reset()",
    replace: "delays.reset()"
  },
  {
    name: "an outbox without a bound",
    law: "bounded",
    file: `${channel}/Outbox.ts`,
    find: "this.bytes + bytes > this.limit) return false",
    replace: "this.bytes + bytes > this.limit * 1e9) return false"
  },
  {
    name: "drop on full",
    law: "stream",
    complaint: 2,
    file: `${channel}/Writer.ts`,
    find: "if (!this.outbox.offer(frames, bytes)) return this.#stand(frames)",
    replace: "if (!this.outbox.offer(frames, bytes)) return Effect.void"
  },
  {
    name: "keep the old socket",
    law: "one-socket",
    complaint: 2,
    file: `${channel}/Line.ts`,
    find: "    this.writer.attach(link.socket)",
    replace: "    if (old === undefined) this.writer.attach(link.socket)"
  },
  {
    name: "two sockets for one account",
    law: "one-socket",
    complaint: 7,
    file: `${channel}/Line.ts`,
    find: "    const old = this.active\n    if (old !== undefined) {",
    replace:
      "    const old = this.active\n    if (old !== undefined) this.writer.attach(old.socket)\n    if (old !== undefined && this.generation % 2 === 1) return old\n    if (old !== undefined) {"
  },
  {
    name: "never call a silent link dead",
    law: "honest-status",
    complaint: 6,
    file: `${channel}/Heartbeat.ts`,
    find: "if (pulse.missed >= options.missedLimit) return pulse.missed",
    replace: "if (pulse.missed >= options.missedLimit * 1000) return pulse.missed"
  },
  {
    name: "a message counts as a pong",
    law: "honest-status",
    complaint: 6,
    file: `${channel}/Line.ts`,
    find: "    this.queue.push(text)\n",
    replace: "    this.queue.push(text)\n    this.answered(link)\n"
  },
  {
    name: "never say suspect",
    law: "honest-status",
    complaint: 6,
    file: `${channel}/Heartbeat.ts`,
    find: "actions.suspected()",
    replace: "ask = true"
  },
  {
    name: "leak the timers of each socket",
    law: "stop",
    complaint: 8,
    file: `${channel}/Line.ts`,
    find: "    link.rest()\n    if (link === this.active) {",
    replace: "    if (link === this.active) {"
  },
  {
    name: "leave the replies when stopping",
    law: "stop",
    complaint: 9,
    file: `${channel}/Replies.ts`,
    find: "endAll(Array.from(replies.values(), (reply) => [reply, Failures.stopping]))",
    replace: "endAll([])"
  },
  {
    name: "one hung turn blocks its session",
    law: "drain",
    complaint: 9,
    file: `${channel}/Replies.ts`,
    find: "if (late <= at) over.push([reply, Failures.tooLate(limit)])\n        else if (silent <= at) over",
    replace: "if (late < 0) over.push([reply, Failures.tooLate(limit)])\n        else if (silent < 0) over"
  },
  {
    name: "fail without words",
    law: "bounded",
    complaint: 11,
    file: `${channel}/replyFailures.ts`,
    find: 'message: "Too many messages wait for this agent, so this one was not taken. Send it again in a moment."',
    replace: 'message: "no"'
  },
  {
    name: "the mailbox newest first",
    law: "order",
    file: `${platform}/SqlSessions.ts`,
    find: "ORDER BY ordinal LIMIT ${rows.toLimit(limit)}",
    replace: "ORDER BY ordinal DESC LIMIT ${rows.toLimit(limit)}"
  },
  {
    name: "two replies of one session at once",
    law: "order",
    file: `${channel}/Lanes.ts`,
    find: "return behind === undefined\n",
    replace: "return behind === undefined || behind.length === 3\n"
  },
  {
    name: "write the profile in place",
    law: "whole-file",
    file: `${channel}/FileProfileStore.ts`,
    find: "const temporary = `${profilePath}.${process.pid}.tmp`",
    replace: "const temporary = profilePath\n        yield* fs.remove(profilePath, { force: true })"
  },
  {
    name: "rename before the bytes are on the disk",
    law: "whole-file",
    profile: "power",
    file: `${channel}/FileProfileStore.ts`,
    find: "            yield* file.sync\n",
    replace: ""
  }
]
