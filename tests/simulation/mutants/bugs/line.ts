/** Bugs in how the line is kept and left: the laws bounded, one-socket, honest-status, drain and stop. */
import type { Mutant } from "../jobs.ts"

const channel = "src/layers/channel"
const platform = "src/layers/platform"

export const line: ReadonlyArray<Mutant> = [
  {
    name: "leave a reply of an agent that is gone",
    law: "drain",
    complaint: 11,
    patches: [
      {
        file: `${platform}/LiveBroker.ts`,
        find: "reply.deadline === undefined || reply.deadline > now",
        replace: "reply.deadline === undefined || reply.deadline > -now"
      }
    ]
  },
  {
    name: "one reply too many",
    law: "bounded",
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: "Semaphore.make(maxConcurrent)",
        replace: "Semaphore.make(maxConcurrent + 1)"
      }
    ]
  },
  {
    name: "reset the backoff at once",
    law: "bounded",
    complaint: 7,
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "if (line.status.attempt === 0) delays.reset()",
        replace: "delays.reset()"
      }
    ]
  },
  {
    name: "an outbox without a bound",
    law: "bounded",
    profile: "narrow",
    rare: true,
    patches: [
      {
        file: `${channel}/Outbox.ts`,
        find: "this.bytes + bytes > this.limit) return false",
        replace: "this.bytes + bytes > this.limit * 1e9) return false"
      }
    ]
  },
  {
    name: "keep the old socket",
    law: "one-socket",
    complaint: 2,
    rare: true,
    patches: [
      {
        file: `${channel}/Line.ts`,
        find: "    this.writer.attach(link.socket)",
        replace: "    if (old === undefined) this.writer.attach(link.socket)"
      }
    ]
  },
  {
    name: "two retry loops for one account",
    law: "one-socket",
    complaint: 7,
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "  yield* Effect.forkScoped(supervise(line))",
        replace: "  yield* Effect.forkScoped(supervise(line))\n  yield* Effect.forkScoped(supervise(line))"
      }
    ]
  },
  {
    name: "never call a silent link dead",
    law: "honest-status",
    complaint: 6,
    patches: [
      {
        file: `${channel}/Heartbeat.ts`,
        find: "if (pulse.missed >= options.missedLimit) return pulse.missed",
        replace: "if (pulse.missed >= options.missedLimit * 1000) return pulse.missed"
      }
    ]
  },
  {
    name: "a message counts as a pong",
    law: "honest-status",
    complaint: 6,
    patches: [
      {
        file: `${channel}/Line.ts`,
        find: "    this.queue.push(text)\n",
        replace: "    this.queue.push(text)\n    this.answered(link)\n"
      }
    ]
  },
  {
    name: "never say suspect",
    law: "honest-status",
    complaint: 6,
    patches: [
      {
        file: `${channel}/Heartbeat.ts`,
        find: "actions.suspected()",
        replace: "ask = true"
      }
    ]
  },
  {
    name: "leak the timers of each socket",
    law: "stop",
    complaint: 8,
    patches: [
      {
        file: `${channel}/Line.ts`,
        find: "    link.rest()\n    if (link === this.active) {",
        replace: "    if (link === this.active) {"
      }
    ]
  },
  {
    name: "leave the replies when stopping",
    law: "stop",
    complaint: 9,
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: "endAll(Array.from(replies.values(), (reply) => [reply, Failures.stopping]))",
        replace: "endAll([])"
      }
    ]
  },
  {
    name: "one hung turn blocks its session",
    law: "drain",
    complaint: 9,
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: "if (late <= at) over.push([reply, Failures.tooLate(limit)])\n        else if (silent <= at) over",
        replace: "if (late < 0) over.push([reply, Failures.tooLate(limit)])\n        else if (silent < 0) over"
      }
    ]
  },
  {
    name: "fail without words",
    law: "bounded",
    complaint: 11,
    patches: [
      {
        file: `${channel}/replyFailures.ts`,
        find: 'message: "Too many messages wait for this agent, so this one was not taken. Send it again in a moment."',
        replace: 'message: "no"'
      }
    ]
  },
  {
    name: "fail in silence",
    law: "drain",
    complaint: 11,
    patches: [
      {
        file: `${channel}/Replies.ts`,
        find: "Effect.andThen(explain(reply, exit.cause), conclude(reply, Failures.fromCause(exit.cause)))",
        replace: "explain(reply, exit.cause)"
      }
    ]
  },
  {
    name: "write before the greeting",
    law: "one-socket",
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "Effect.andThen(Effect.suspend(() => greetingOf(line, link))),",
        replace: "Effect.andThen(Effect.void),"
      }
    ]
  },
  {
    name: "a pong is due within five seconds",
    law: "honest-status",
    complaint: 8,
    profile: "hostile",
    patches: [
      {
        file: `${channel}/Heartbeat.ts`,
        find: "if (ask) actions.beat()",
        replace:
          "if (!ask) continue\n    actions.beat()\n    yield* Effect.sleep(5_000)\n    if (!pulse.answered) return 1"
      }
    ]
  },
  {
    name: "dial on after the stop",
    law: "stop",
    complaint: 7,
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "yield* Effect.forkScoped(supervise(line))",
        replace: "yield* Effect.forkDetach(supervise(line))"
      }
    ]
  },
  {
    name: "wait for a close that never comes",
    law: "stop",
    complaint: 9,
    profile: "crash",
    rare: true,
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "        duration: line.settings.closeTimeout,\n        orElse: () => Effect.sync(() => line.discard(link, closed))",
        replace: "        duration: line.settings.closeTimeout,\n        orElse: () => Effect.void"
      }
    ]
  },
  {
    name: "a fiber waits for a link for ever",
    law: "stop",
    profile: "hostile",
    rare: true,
    patches: [
      {
        file: `${channel}/ReplyWire.ts`,
        find: "Fiber.runIn(runFork(watch), scope)",
        replace: "runFork(watch)"
      }
    ]
  },
  {
    name: "the platform's sweep outlives it",
    law: "stop",
    patches: [
      {
        file: `${platform}/LiveBroker.ts`,
        find: "yield* Effect.forkScoped(Effect.forever(Effect.andThen(sweep,",
        replace: "yield* Effect.forkDetach(Effect.forever(Effect.andThen(sweep,"
      }
    ]
  },
  {
    name: "leave the lock behind",
    law: "stop",
    patches: [
      {
        file: "src/layers/files/FileLock.ts",
        find: "Effect.flatMap((ours) => (ours ? this.#fs.remove(this.#path, { force: true }) : Effect.void)),\n      Effect.ignore",
        replace: "Effect.ignore"
      }
    ]
  },
  {
    name: "close while still connecting, and nobody hears the error",
    law: "stop",
    complaint: 8,
    profile: "hostile",
    patches: [
      {
        file: `${channel}/WsDriver.ts`,
        find: '      this.on("error", onError)\n',
        replace: ""
      }
    ]
  },
  {
    name: "overtake those who stand in line",
    law: "stream",
    profile: "narrow",
    patches: [
      {
        file: `${channel}/Outbox.ts`,
        find: "if (this.#waiters.length > 0 || this.bytes + bytes > this.limit) return false",
        replace: "if (this.bytes + bytes > this.limit) return false"
      }
    ]
  }
]
