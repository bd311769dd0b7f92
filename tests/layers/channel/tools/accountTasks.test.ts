/** Which task pool the tools of an account speak to. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as AccountTasks from "../../../../src/layers/channel/AccountTasks.ts"
import * as MemoryTaskApi from "../../../../src/layers/channel/MemoryTaskApi.ts"
import type { Profile } from "../../../../src/services/channel/ProfileStore.ts"
import * as fakePlatform from "../tasks/fakePlatform.ts"

const profile: Profile = {
  app_key: "ak",
  app_secret: Redacted.make("sk"),
  claw_id: "claw_1",
  name: "",
  description: "",
  avatar: "",
  hourly_rate: 0,
  scene_tags: [],
  custom_tags: [],
  instance_type: 0,
  origin: undefined,
  extra: {}
}

it.live("that of the platform it is on the line of, with the keys of that moment", () =>
  Effect.gen(function* () {
    const market = new MemoryTaskApi.MemoryMarket()
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => fakePlatform.start(market, "claw_1")),
      ({ stop }) => Effect.promise(stop)
    )
    let line = Option.none<{ readonly profile: Profile; readonly url: URL }>()
    const desk = yield* AccountTasks.make({
      line: Effect.sync(() => line),
      settings: {
        taskApiBaseUrl: new URL("https://claw.int-os.com"),
        artifactUrl: new URL("https://claw.int-os.com/artifact/upload-and-bind")
      },
      folder: "/nowhere"
    })
    assert.isTrue(Option.isNone(yield* desk))
    const url = new URL("/ws/chat", server.url)
    url.protocol = "ws:"
    line = Option.some({ profile, url })
    const first = Option.getOrThrow(yield* desk)
    assert.strictEqual(Option.getOrThrow(yield* desk).api, first.api)
    yield* first.api.list({})
    line = Option.some({ profile: { ...profile, app_key: "ak_2" }, url })
    yield* Option.getOrThrow(yield* desk).api.list({})
    assert.deepStrictEqual(
      server.seen.map(({ headers }) => headers["x-api-key"]),
      ["ak", "ak_2"]
    )
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
)
