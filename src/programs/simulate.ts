import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { lazily } from "./Cli.ts"

const positive = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))

export const simulate = Command.make(
  "simulate",
  {
    seeds: Flag.Int("seeds").pipe(
      Flag.withSchema(positive),
      Flag.withDescription("How many histories"),
      Flag.withDefault(100)
    ),
    from: Flag.Int("from").pipe(
      Flag.withSchema(positive),
      Flag.withMetavar("<seed>"),
      Flag.withDescription("The first seed; the others follow it"),
      Flag.withDefault(1)
    ),
    profile: Flag.String("profile").pipe(
      Flag.withMetavar("<name>"),
      Flag.withDescription(
        "safety, liveness, crash, power, hostile, narrow, or idle. Unset: the first four take turns"
      ),
      Flag.optional
    ),
    keep: Flag.String("keep").pipe(
      Flag.withMetavar("<numbers>"),
      Flag.withDescription("Only these steps of the plan happen, as a failure names them"),
      Flag.optional
    ),
    trace: Flag.Boolean("trace").pipe(
      Flag.withDescription("Print everything that happens. The same seed prints the same, byte for byte"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/simulate.ts"))
).pipe(
  Command.withDescription(
    "Runs agents, a platform and people in a world of its own, with virtual time, a network and disks that fail and processes that die, and checks after each seed that every law held. Exit code 0 when all did."
  ),
  Command.withShortDescription("Try everything in a simulated world that goes wrong"),
  Command.withExamples([
    { command: "clawfiber simulate --seeds 1000", description: "A thousand histories" },
    { command: "clawfiber simulate --from 42 --seeds 1 --trace", description: "One of them, to read" }
  ])
)
