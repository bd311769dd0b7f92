/**
 * The registration as data, against a world of a disk, a platform and a person in which anything may happen at any
 * moment, crashes included.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { Pending } from "../../../src/services/channel/ProfileStore.ts"
import * as Registration from "../../../src/services/channel/Registration.ts"
import type { Proposal } from "../../../src/services/protocol/ProfileFields.ts"

const proposal = (name: string): Proposal => ({
  name,
  description: "",
  avatar: "",
  scene_tags: [],
  custom_tags: [],
  hourly_rate: 0,
  instance_type: 0
})

const policy: Registration.Policy = { proposes: true, cooldown: 60_000, interval: 10_000 }

const ops = [
  "look",
  "look",
  "confirm",
  "confirm",
  "confirm old",
  "confirm without a proposal",
  "cancel",
  "cancel old",
  "the agent proposes",
  "somebody proposes",
  "the agent fails",
  "the platform answers",
  "the platform answers, nobody hears",
  "the platform refuses",
  "crash",
  "the platform answers, crash",
  "the profile is written, crash",
  "a person puts a profile there",
  "a person removes the profile",
  "a person spoils the profile",
  "a minute passes",
  "hurry"
] as const
type Op = (typeof ops)[number]

const Histories = Schema.Array(Schema.Literals(ops)).check(Schema.isMinLength(5), Schema.isMaxLength(80))

class World {
  state: Registration.RegistrationState = Registration.initial
  pending: Pending | undefined
  profile: Registration.Found = { _tag: "None" }
  /** Under which key the platform is asked at this moment. */
  asked: string | undefined
  readonly identities = new Map<string, string>()
  confirmations = 0
  #now = 1_000
  #names = 0
  readonly #gone: Array<string> = []

  #fresh(prefix: string): string {
    return `${prefix}-${++this.#names}`
  }

  apply(event: Registration.RegistrationEvent): Registration.Step {
    const before = this.state
    const step = Registration.step(before, event, policy)
    if (step.refusal !== undefined) {
      assert.deepStrictEqual(step.state, before, "a refusal changes nothing")
      assert.lengthOf(step.actions, 0, "a refusal does nothing")
      return step
    }
    for (const action of step.actions) {
      if (action._tag === "Keep") this.pending = action.pending
      if (action._tag === "Forget") {
        if (this.pending !== undefined) this.#gone.push(this.pending.proposalId)
        this.pending = undefined
      }
      if (action._tag === "Register") {
        assert.isUndefined(this.asked, "law once: one registration at a time")
        assert.notStrictEqual(before._tag, "registered", "law once: what is registered does not register")
        assert.isTrue(this.pending?.confirmed, "a confirmation is on the disk before the platform hears of it")
        assert.strictEqual(this.pending?.attempt, action.pending.attempt, "and so is its key")
        this.asked = action.pending.attempt
      }
    }
    this.state = step.state
    if (step.state._tag === "pending" && event._tag !== "Looked") {
      assert.strictEqual(this.pending?.proposalId, step.state.proposalId, "what waits is on the disk")
      assert.deepStrictEqual(this.pending?.proposal, step.state.proposal, "as it is shown")
    }
    return step
  }

  look(): void {
    if (this.asked !== undefined) return
    const { pending, profile: found } = this
    this.apply({ _tag: "Looked", found, pending, owned: true, at: this.#now })
  }

  confirm(proposalId: string | undefined, wanted: Proposal | undefined): Registration.Step | undefined {
    // As the Registrar does it: the disk is looked at before, and an unreadable profile is a refusal of its own.
    if (this.asked !== undefined || this.profile._tag === "Unreadable") return undefined
    const { pending } = this
    const asks = { ...policy, proposes: false }
    const seen = { _tag: "Looked", found: this.profile, pending, owned: false, at: this.#now } as const
    this.state = Registration.step(this.state, seen, asks).state
    const step = this.apply({
      _tag: "Confirmed",
      proposalId,
      proposal: wanted,
      pending,
      newId: this.#fresh("id"),
      newAttempt: this.#fresh("attempt"),
      at: this.#now
    })
    if (step.refusal === undefined) this.confirmations++
    return step
  }

  /** The platform makes an identity, or finds the one that it made under this key. */
  #identity(): string | undefined {
    const { asked } = this
    if (asked === undefined) return undefined
    const known = this.identities.get(asked) ?? this.#fresh("claw")
    this.identities.set(asked, known)
    return known
  }

  #setback(about: Registration.Setback["about"]): Registration.Setback {
    return { about, message: "no", fields: [], at: this.#now, needsPerson: false }
  }

  #fails(certain: boolean): void {
    const { asked, pending } = this
    if (asked === undefined || pending === undefined) return
    this.asked = undefined
    this.apply({ _tag: "RegistrationFailed", setback: this.#setback("registration"), pending, certain })
    assert.strictEqual(this.state._tag, "pending", "what was typed is there again")
  }

  #crash(): void {
    this.asked = undefined
    this.state = Registration.initial
  }

  answer(): void {
    const clawId = this.#identity()
    if (clawId === undefined) return
    this.asked = undefined
    if (this.profile._tag !== "None") return this.look()
    this.profile = { _tag: "Profile", clawId, name: "x" }
    this.apply({ _tag: "Registered", clawId, name: "x", at: this.#now })
  }

  happen(op: Op): void {
    switch (op) {
      case "look":
        return this.look()
      case "confirm":
        return void this.confirm(this.pending?.proposalId, undefined)
      case "confirm without a proposal":
        return void this.confirm(undefined, proposal(this.#fresh("name")))
      case "confirm old": {
        const gone = this.#gone.at(-1)
        const step = gone === undefined ? undefined : this.confirm(gone, proposal("x"))
        if (step !== undefined) assert.isDefined(step.refusal, "a confirmation of what is gone is refused")
        return
      }
      case "cancel":
      case "cancel old": {
        if (this.asked !== undefined) return
        const proposalId = op === "cancel" ? this.pending?.proposalId : this.#gone.at(-1)
        const had = this.pending
        const step = this.apply({ _tag: "Cancelled", proposalId, pending: this.pending, at: this.#now })
        if (step.refusal === undefined && had !== undefined) assert.isUndefined(this.pending)
        return
      }
      case "the agent proposes":
      case "somebody proposes": {
        if (this.asked !== undefined) return
        this.apply({
          _tag: "Proposed",
          proposal: proposal(this.#fresh("name")),
          proposalId: this.#fresh("id"),
          asked: op === "the agent proposes",
          pending: this.pending,
          at: this.#now
        })
        return
      }
      case "the agent fails":
        return void this.apply({
          _tag: "ProposingFailed",
          setback: this.#setback("proposal"),
          retryAt: this.#now + 10_000
        })
      case "the platform answers":
        return this.answer()
      case "the platform answers, nobody hears":
        this.#identity()
        return this.#fails(false)
      case "the platform refuses":
        // Whoever knows the key does not refuse it.
        return this.asked !== undefined && this.identities.has(this.asked) ? this.answer() : this.#fails(true)
      case "crash":
        return this.#crash()
      case "the platform answers, crash":
        this.#identity()
        return this.#crash()
      case "the profile is written, crash": {
        const clawId = this.#identity()
        if (clawId !== undefined && this.profile._tag === "None") {
          this.profile = { _tag: "Profile", clawId, name: "x" }
        }
        return this.#crash()
      }
      case "a person puts a profile there":
        this.profile = { _tag: "Profile", clawId: this.#fresh("by hand"), name: "y" }
        return
      case "a person removes the profile":
        this.profile = { _tag: "None" }
        return
      case "a person spoils the profile":
        this.profile = { _tag: "Unreadable", message: "cut" }
        return
      case "a minute passes":
        this.#now += 61_000
        return
      case "hurry":
        this.apply({ _tag: "Hurried" })
        return this.look()
    }
  }
}

describe("whatever happens", () => {
  it.prop(
    "no confirmation makes two identities, nothing registered registers, and what waits is on the disk",
    { history: Histories },
    ({ history }) => {
      const world = new World()
      for (const op of history) world.happen(op)
      assert.isAtMost(world.identities.size, world.confirmations, "law once: at most one identity per confirmation")
    },
    { arbitrary: { runs: 1_000 } }
  )

  it.prop(
    "a person can go on from there: the file mended, the agent willing, the platform up, and a confirmation leads to an identity",
    { history: Histories },
    ({ history }) => {
      const world = new World()
      for (const op of history) world.happen(op)
      if (world.profile._tag === "Unreadable") world.profile = { _tag: "None" }
      world.look()
      for (let round = 0; round < 4 && world.state._tag !== "registered"; round++) {
        world.happen("a minute passes")
        world.look()
        world.happen("the agent proposes")
        world.happen("confirm")
        world.answer()
      }
      world.look()
      assert.strictEqual(world.state._tag, "registered")
      assert.isUndefined(world.pending)
    },
    { arbitrary: { runs: 1_000 } }
  )
})

describe("what was found once", () => {
  it("law once: a profile that is taken away does not bring an old confirmation back", () => {
    const world = new World()
    for (const op of [
      "confirm without a proposal",
      "the profile is written, crash",
      "confirm",
      "a person removes the profile",
      "look",
      "look"
    ] as const) {
      world.happen(op)
    }
    assert.isUndefined(world.asked)
    assert.isUndefined(world.pending)
  })
})

describe("single steps", () => {
  const at = 5_000
  const pending: Pending = {
    proposalId: "p1",
    proposal: proposal("Ada"),
    proposedAt: 1,
    attempt: undefined,
    confirmed: false
  }
  const waiting: Registration.RegistrationState = {
    _tag: "pending",
    proposal: pending.proposal,
    proposalId: "p1",
    proposedAt: 1,
    setback: undefined
  }
  const looked = (over: Partial<Extract<Registration.RegistrationEvent, { readonly _tag: "Looked" }>> = {}) =>
    ({ _tag: "Looked", found: { _tag: "None" }, pending: undefined, owned: false, at, ...over }) as const

  it("a registered account whose file is spoiled stays registered, and says so", () => {
    const state: Registration.RegistrationState = { _tag: "registered", clawId: "c", name: "n", since: 1 }
    const step = Registration.step(state, looked({ found: { _tag: "Unreadable", message: "cut" } }), policy)
    assert.deepInclude(step.state, { _tag: "registered", clawId: "c" })
    assert.deepInclude(Registration.setbackOf(step.state), { about: "profile", message: "cut", needsPerson: true })
    const mended = Registration.step(step.state, looked({ found: { _tag: "Profile", clawId: "c", name: "n" } }), policy)
    assert.deepStrictEqual(mended.state, state)
  })

  it("a spoiled file at the start is never written over: nobody proposes, and a person is told", () => {
    const step = Registration.step(
      Registration.initial,
      looked({ found: { _tag: "Unreadable", message: "cut" } }),
      policy
    )
    assert.lengthOf(step.actions, 0)
    assert.deepInclude(Registration.setbackOf(step.state), { message: "cut", needsPerson: true })
  })

  it("what another one confirmed is waited for, and finished by whoever holds the lock", () => {
    const confirmed = { ...pending, attempt: "a1", confirmed: true }
    const other = Registration.step(waiting, looked({ pending: confirmed }), policy)
    assert.strictEqual(other.state._tag, "submitting")
    assert.lengthOf(other.actions, 0)
    const heir = Registration.step(other.state, looked({ pending: confirmed, owned: true }), policy)
    assert.deepStrictEqual(heir.actions, [{ _tag: "Register", pending: confirmed }])
  })

  it("a proposal that vanished was cancelled elsewhere", () => {
    assert.deepStrictEqual(Registration.step(waiting, looked(), policy).state, {
      _tag: "coolingDown",
      until: at + 60_000
    })
  })

  it("a wait after a setback is kept, and ended by whoever hurries", () => {
    const absent: Registration.RegistrationState = { _tag: "absent", setback: undefined, retryAt: at + 1 }
    assert.strictEqual(Registration.step(absent, looked(), policy).state._tag, "absent")
    const hurried = Registration.step(absent, { _tag: "Hurried" }, policy).state
    assert.strictEqual(Registration.step(hurried, looked(), policy).state._tag, "proposing")
  })

  it("cancelling a run of the agent stops it", () => {
    const step = Registration.step(
      { _tag: "proposing", since: 1, setback: undefined },
      { _tag: "Cancelled", proposalId: undefined, pending: undefined, at },
      policy
    )
    assert.strictEqual(step.state._tag, "coolingDown")
    assert.deepStrictEqual(step.actions, [{ _tag: "StopProposing" }])
  })
})
