/** Bugs in the market: the laws one-winner and ledger-zero. */
import type { Mutant } from "../jobs.ts"

const platform = "src/layers/platform"

export const market: ReadonlyArray<Mutant> = [
  {
    name: "grab whatever state it is in",
    law: "one-winner",
    patches: [
      {
        file: `${platform}/taskGrabs.ts`,
        find: "AND status = 'available' AND (deadline",
        replace: "AND (deadline"
      }
    ]
  },
  {
    name: "forget the number of the grab",
    law: "one-winner",
    patches: [
      {
        file: `${platform}/taskLeases.ts`,
        find: '${fencing === undefined ? sql.literal("") : sql`AND fencing = ${fencing}`}`',
        replace: "${sql.literal('')}`"
      }
    ]
  },
  {
    name: "give every grab the same number",
    law: "one-winner",
    patches: [{ file: `${platform}/taskGrabs.ts`, find: "fencing = fencing + 1", replace: "fencing = 1" }]
  },
  {
    name: "a lease never ends",
    law: "one-winner",
    patches: [
      { file: `${platform}/taskLeases.ts`, find: "AND lease_until > ${now}\n", replace: "AND ${now} > 0\n" },
      {
        file: `${platform}/SqlTaskPool.ts`,
        find: "WHERE lease_until IS NOT NULL AND lease_until <= ${now} RETURNING",
        replace: "WHERE lease_until IS NOT NULL AND lease_until <= ${now - 1e12} RETURNING"
      }
    ]
  },
  {
    name: "open what is held before its lease has run out",
    law: "one-winner",
    patches: [
      {
        file: `${platform}/SqlTaskPool.ts`,
        find: "AND lease_until <= ${now} RETURNING",
        replace: "AND lease_until <= ${now + 45_000} RETURNING"
      }
    ]
  },
  {
    name: "forget that this hand-in came before",
    law: "one-winner",
    patches: [
      {
        file: `${platform}/taskLeases.ts`,
        find: "if (before !== undefined) return before",
        replace: "if (before !== undefined && before.review === 'pending') return before"
      }
    ]
  },
  {
    name: "forget what was posted under this key",
    law: "once",
    patches: [
      {
        file: `${platform}/taskPosts.ts`,
        find: "WHERE creator_id = ${creatorId} AND post_attempt = ${hashed}`",
        replace: "WHERE creator_id = ${creatorId} AND post_attempt = ${`${hashed} `}`"
      },
      {
        file: `${platform}/taskPosts.ts`,
        find: "post_attempt: hashed,",
        replace: "post_attempt: null,"
      }
    ]
  },
  {
    name: "pay again when the same acceptance comes again",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/taskPosts.ts`,
        find: "if (hashed !== null && before.accept_attempt === hashed) return toTask(before)",
        replace:
          "if (hashed !== null && before.accept_attempt === hashed) return yield* Effect.as(pay(before), toTask(before))"
      },
      { file: `${platform}/SqlLedger.ts`, find: "AND balance >= ${amount} RETURNING", replace: "RETURNING" }
    ]
  },
  {
    name: "give the bounty back with the task, and pay it all the same",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/taskLeases.ts`,
        find: '    yield* Effect.logDebug("An agent gave a task back"',
        replace: '    yield* refund(row)\n    yield* Effect.logDebug("An agent gave a task back"'
      },
      { file: `${platform}/SqlLedger.ts`, find: "AND balance >= ${amount} RETURNING", replace: "RETURNING" }
    ]
  },
  {
    name: "accept first, pay afterwards",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/taskPosts.ts`,
        find: "        yield* pay(row)\n        return toTask(row)\n      })\n    )\n  }, atEdge)",
        replace:
          "        return row\n      })\n    ).pipe(Effect.tap((row) => ('review' in row && 'claw_id' in row ? sql.withTransaction(pay(row)) : Effect.void)), Effect.map((row) => ('claw_id' in row ? toTask(row) : row)))\n  }, atEdge)"
      }
    ]
  },
  {
    name: "forget to write down one side of a movement",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/SqlLedger.ts`,
        find: "        account: to,\n        counter: from,",
        replace: "        account: kind === 'release' ? from : to,\n        counter: from,"
      }
    ]
  },
  {
    name: "pay the one who posted",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/taskPosts.ts`,
        find: "const owner = yield* ownerOf(row.claw_id)",
        replace: "const owner = (yield* ownerOf(row.claw_id)) ?? row.creator_id"
      }
    ]
  },
  {
    name: "change the price without reserving the difference",
    law: "ledger-zero",
    patches: [
      {
        file: `${platform}/taskPosts.ts`,
        find: "if (more > 0n) yield*",
        replace: "if (more > 100n * 100n) yield*"
      }
    ]
  },
  {
    name: "a group that ends before the one comes who began it",
    law: "drain",
    patches: [
      {
        file: `${platform}/groupCommit.ts`,
        find: `      pending.push({ item, answer })
      if (!isRunning) {`,
        replace: `      const wait = Effect.andThen(
        Effect.sync(() => void pending.push({ item, answer })),
        Deferred.await(answer)
      )
      if (!isRunning) {
        isRunning = true
        return Effect.andThen(Effect.forkDetach(group), wait)
      }
      if (!isRunning) {`
      },
      {
        file: `${platform}/groupCommit.ts`,
        find: "      return Deferred.await(answer)\n",
        replace: "      return wait\n"
      }
    ]
  }
]
