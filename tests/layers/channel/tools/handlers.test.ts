/** What the tools of an account do and say, as any host calls them: through a toolbox. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as OfferedTools from "../../../../src/layers/channel/OfferedTools.ts"
import * as ToolHandlers from "../../../../src/layers/channel/ToolHandlers.ts"
import type { Origin } from "../../../../src/services/channel/AgentRuntime.ts"
import { type ConnectionState, ConnectionError, Unreachable } from "../../../../src/services/channel/Connection.ts"
import {
  ProfileApiError,
  RegistrationFailed,
  RegistrationRefused
} from "../../../../src/services/channel/ProfileApi.ts"
import { type Profile, ProfileDamaged, ProfileError } from "../../../../src/services/channel/ProfileStore.ts"
import { AlreadyRegistered, Busy, RegistrarError, type Registrar } from "../../../../src/services/channel/Registrar.ts"
import type { RegistrationState } from "../../../../src/services/channel/Registration.ts"
import * as Toolbox from "../../../../src/services/channel/Toolbox.ts"
import * as Tools from "../../../../src/services/protocol/Tools.ts"

const secrets = ["ak_7f3a91", "sk_5d0be2", "hidden-extra"]

const profile: Profile = {
  app_key: "ak_7f3a91",
  app_secret: Redacted.make("sk_5d0be2"),
  claw_id: "claw_1",
  name: "Scribe",
  description: "Writes.",
  avatar: "",
  hourly_rate: 5,
  scene_tags: ["07001"],
  custom_tags: ["prose"],
  instance_type: 0,
  origin: "https://claw.int-os.com",
  extra: { note: "hidden-extra" }
}

interface World {
  readonly state?: RegistrationState
  readonly profile?: Effect.Effect<Option.Option<Profile>, ProfileError>
  readonly connection?: ConnectionState
  readonly registersAtOnce?: boolean
  readonly refuses?: RegistrarError["reason"]
  readonly chosen?: ReadonlyArray<Tools.ToolName>
}

const make = Effect.fnUntraced(function* (world: World = {}) {
  const done: Array<readonly [string, unknown]> = []
  const refused = world.refuses === undefined ? undefined : Effect.fail(new RegistrarError({ reason: world.refuses }))
  const registrar: Pick<Registrar["Service"], "state" | "propose" | "submit"> = {
    state: yield* SubscriptionRef.make<RegistrationState>(
      world.state ?? { _tag: "absent", setback: undefined, retryAt: undefined }
    ),
    propose: (proposal) =>
      refused ?? Effect.sync(() => (done.push(["propose", proposal]), { proposalId: "proposal_1" })),
    submit: (input) => refused ?? Effect.sync(() => (done.push(["submit", input]), profile))
  }
  const handlers = ToolHandlers.make({
    registrar,
    profiles: { load: world.profile ?? Effect.succeedNone },
    connection: Effect.succeed(Option.fromUndefinedOr(world.connection)),
    registersAtOnce: world.registersAtOnce ?? false
  })
  return { done, handlers, toolbox: ToolHandlers.toolbox(handlers, world.chosen ?? ToolHandlers.names) }
})

const proposal = { name: "Scribe", description: "Writes.", scene_tags: ["07001"] }
const whole = { ...proposal, avatar: "", custom_tags: [], hourly_rate: 0, instance_type: 0 }

/** The failure, in the shape that all of them have. */
const failed = (result: Toolbox.ToolResult): Tools.ToolFailure => {
  assert.isTrue(result.isError)
  const value = Schema.decodeUnknownSync(Tools.ToolFailure)(result.value)
  assert.isNotEmpty(value.next)
  return value
}

describe("the tools", () => {
  it("take closed objects, at every depth, and say what each field is", () => {
    for (const tool of Object.values(Tools.toolkit.tools)) {
      const schema = Tools.parametersOf(tool)
      assert.deepInclude(schema, { type: "object", additionalProperties: false }, tool.name)
      const objects = JSON.stringify(schema).match(/"type":"object"/g) ?? []
      const closings = JSON.stringify(schema).match(/"additionalProperties":false/g) ?? []
      assert.strictEqual(objects.length, closings.length, tool.name)
      assert.isNotEmpty(tool.description)
    }
  })

  it.effect("propose: leaves the proposal for a person, whole and cleaned, and says so", () =>
    Effect.gen(function* () {
      const { done, toolbox } = yield* make()
      const result = yield* toolbox.call("insta_propose_registration", {
        ...proposal,
        name: "  Scribe\u202e ",
        avatar: null
      })
      assert.deepStrictEqual(done, [["propose", whole]])
      assert.isFalse(result.isError)
      assert.deepInclude(result.value, {
        status: "pending_confirmation",
        proposal_id: "proposal_1",
        proposal: whole
      })
      assert.match(JSON.stringify(result.value), /operator/)
    })
  )

  it.effect.each([
    ["nothing", undefined, ["description", "name"]],
    ["a text", "Scribe", [""]],
    ["a list", [proposal], [""]],
    ["kinds that are wrong", { ...proposal, name: 3, scene_tags: ["07001", 4] }, ["name", "scene_tags.1"]],
    ["a number that is none", { ...proposal, hourly_rate: "much" }, ["hourly_rate"]],
    ["a field that there is not", { ...proposal, app_secret: "x" }, ["app_secret"]],
    ["a key of the prototype", JSON.parse('{"name":"a","description":"b","__proto__":{"x":1}}'), ["__proto__"]],
    ["an empty name", { ...proposal, name: " \u200b" }, ["name"]],
    [
      "absurd values",
      { ...proposal, hourly_rate: -1, scene_tags: ["text"], avatar: "file:///etc/passwd" },
      ["avatar", "hourly_rate", "scene_tags"]
    ]
  ] as const)("propose: %s comes back by field, and nothing is proposed", ([, input, fields]) =>
    Effect.gen(function* () {
      const { done, toolbox } = yield* make()
      const value = failed(yield* toolbox.call("insta_propose_registration", input))
      assert.deepInclude(value, { error: "invalid_input" })
      assert.sameMembers([...new Set(value.fields.map(({ field }) => field))], [...fields])
      assert.isTrue(value.fields.every(({ message }) => message.endsWith(".")))
      assert.lengthOf(done, 0)
    })
  )

  it.effect("law bounded: thousands of wrong fields give a short result", () =>
    Effect.gen(function* () {
      const { toolbox } = yield* make()
      const input = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${"x".repeat(500)}${index}`, 1]))
      const value = failed(yield* toolbox.call("insta_propose_registration", input))
      assert.isBelow(JSON.stringify(value).length, 5000)
    })
  )

  it.effect("register: only proposes where the operator wants to be asked, and registers where not", () =>
    Effect.gen(function* () {
      const asked = yield* make()
      const waiting = yield* asked.toolbox.call("insta_register_identity", proposal)
      assert.deepInclude(waiting.value, { status: "pending_confirmation", claw_id: null, proposal_id: "proposal_1" })
      assert.deepStrictEqual(asked.done, [["propose", whole]])
      const allowed = yield* make({ registersAtOnce: true })
      const registered = yield* allowed.toolbox.call("insta_register_identity", proposal)
      assert.deepInclude(registered.value, { status: "registered", claw_id: "claw_1" })
      assert.deepStrictEqual(allowed.done, [["submit", { proposal: whole }]])
      for (const secret of secrets) assert.notInclude(JSON.stringify(registered.value), secret)
    })
  )

  const refusals: ReadonlyArray<readonly [RegistrarError["reason"], object]> = [
    [new AlreadyRegistered({ clawId: "claw_1" }), { error: "already_registered", fields: [] }],
    [new Busy({ owner: "process 7" }), { error: "busy", fields: [] }],
    [
      new ProfileApiError({
        reason: new RegistrationRefused({
          status: 422,
          detail: "No.",
          fields: [{ field: "name", message: "Taken." }],
          token: false
        })
      }),
      { error: "registration_refused", fields: [{ field: "name", message: "Taken." }] }
    ],
    [
      new ProfileApiError({ reason: new RegistrationFailed({ detail: "no answer" }) }),
      { error: "registration_failed", next: "Call insta_register_identity again in a minute." }
    ],
    [
      new ProfileError({ reason: new ProfileDamaged({ path: "p", detail: "cut" }) }),
      { error: "profile_unusable", next: "Nothing more can be done here: tell the operator what happened." }
    ]
  ]
  for (const [reason, expected] of refusals) {
    it.effect(`register: ${reason._tag} is told with what to do next`, () =>
      Effect.gen(function* () {
        const { toolbox } = yield* make({ registersAtOnce: true, refuses: reason })
        assert.deepInclude(failed(yield* toolbox.call("insta_register_identity", proposal)), expected)
      })
    )
  }

  it.effect("law secret: the profile tells everything public and nothing else", () =>
    Effect.gen(function* () {
      const { toolbox } = yield* make({
        state: { _tag: "registered", clawId: "claw_1", name: "Scribe", since: 0 },
        profile: Effect.succeedSome(profile),
        connection: {
          phase: "reconnecting",
          attempt: 2,
          generation: 3,
          connectedAt: undefined,
          lastPongAt: 1_000,
          lastFailure: new ConnectionError({ reason: new Unreachable({ code: 1006, detail: "cut off" }) }),
          retryAt: 5_000,
          outboxBytes: 0
        }
      })
      const { isError, value } = yield* toolbox.call("insta_get_plugin_profile", {})
      assert.isFalse(isError)
      assert.deepInclude(value, {
        registration: "registered",
        profile: {
          claw_id: "claw_1",
          name: "Scribe",
          description: "Writes.",
          avatar: "",
          hourly_rate: 5,
          scene_tags: ["07001"],
          custom_tags: ["prose"],
          instance_type: 0
        },
        connection: {
          phase: "reconnecting",
          connected_at: null,
          last_pong_at: "1970-01-01T00:00:01.000Z",
          retry_at: "1970-01-01T00:00:05.000Z",
          failed_attempts: 2,
          failure: "The platform cannot be reached: cut off. Trying again by itself."
        }
      })
      for (const secret of secrets) assert.notInclude(JSON.stringify(value), secret)
    })
  )

  it.effect("profile: what waits for the operator, what went wrong, and nothing on the line", () =>
    Effect.gen(function* () {
      const { toolbox } = yield* make({
        state: {
          _tag: "pending",
          proposal: whole,
          proposalId: "proposal_1",
          proposedAt: 0,
          setback: { about: "registration", message: "The platform was away.", fields: [], at: 0, needsPerson: false }
        }
      })
      assert.deepInclude((yield* toolbox.call("insta_get_plugin_profile", undefined)).value, {
        registration: "pending",
        profile: null,
        pending: { proposal_id: "proposal_1", proposal: whole },
        setback: "The platform was away.",
        connection: null
      })
      assert.deepInclude(failed(yield* toolbox.call("insta_get_plugin_profile", { account: "another" })), {
        error: "invalid_input"
      })
    })
  )

  it.effect("a toolbox holds the chosen tools alone, and names them to who calls another", () =>
    Effect.gen(function* () {
      const { done, toolbox } = yield* make({ chosen: ["insta_propose_registration"], registersAtOnce: true })
      assert.deepStrictEqual(
        toolbox.tools.map(({ name }) => name),
        ["insta_propose_registration"]
      )
      for (const name of ["insta_register_identity", "read_file", "constructor", "__proto__", ""]) {
        assert.deepInclude(failed(yield* toolbox.call(name, proposal)), {
          error: "unknown_tool",
          next: "Call one of these instead: insta_propose_registration."
        })
      }
      assert.lengthOf(done, 0)
    })
  )

  it("law confined: what a turn may do follows from its origin", () => {
    const allowed: Readonly<Record<Origin, ReadonlyArray<string>>> = {
      chat: [],
      world: [],
      registration: ["insta_propose_registration"],
      work: ["read_file", "write_file", "list_files"],
      operator: [...ToolHandlers.names, "read_file", "write_file", "list_files"]
    }
    for (const origin of ["chat", "world", "registration", "work", "operator"] as const) {
      assert.deepStrictEqual(ToolHandlers.namesFor(origin), allowed[origin])
    }
    assert.deepStrictEqual(OfferedTools.toolbox([]), Toolbox.empty)
  })

  it.effect("a fault of a handler is a plain result and a line in the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const tool = OfferedTools.offer(Tools.getPluginProfile, () => Effect.die(new Error("secret-path /root/.insta")))
      const result = yield* OfferedTools.toolbox([tool])
        .call("insta_get_plugin_profile", {})
        .pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])))
      assert.deepInclude(failed(result), { error: "internal_error" })
      assert.notInclude(JSON.stringify(result), "/root")
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "insta_get_plugin_profile")
    })
  )

  it.effect("the same handlers serve a host that takes the toolkit whole", () =>
    Effect.gen(function* () {
      const { handlers } = yield* make()
      const results = yield* Effect.gen(function* () {
        const kit = yield* Tools.toolkit
        return yield* Stream.runCollect(yield* kit.handle("insta_propose_registration", { ...proposal, name: "" }))
      }).pipe(Effect.provide(Layer.fresh(Tools.toolkit.toLayer(handlers))))
      assert.lengthOf(results, 1)
      assert.isTrue(results[0]?.isFailure)
      assert.deepInclude(results[0]?.encodedResult, { error: "invalid_input" })
    })
  )
})
