/** Agents on the line of any InstaClaw platform, with the profiles in `.insta` of the working folder. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { type Account, Accounts } from "../../services/channel/Accounts.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as accountReport from "./accountReport.ts"
import * as accounts from "./accounts.ts"
import * as agents from "./agents.ts"
import * as chosenAccounts from "./chosenAccounts.ts"
import * as control from "./control.ts"
import * as proposals from "./proposals.ts"
import type * as settingViews from "./settingViews.ts"
import * as working from "./working.ts"
import * as worldly from "./worldly.ts"

export interface Input extends chosenAccounts.Input, working.Input {
  readonly url: Option.Option<string>
  readonly register: Option.Option<string>
  readonly trustHost: boolean
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
  readonly sync: Option.Option<"normal" | "full">
  readonly control: boolean
  readonly controlPort: number
}

const root = ".insta"

const fail = (message: string) => Effect.fail(new Failure({ message }))

export const addresses = (url: string | undefined, settings: Settings) => {
  if (url === undefined) return Effect.succeed({ wsUrl: settings.wsUrl, profileCreateUrl: settings.profileCreateUrl })
  const parsed = PlatformAddress.parse(url)
  return parsed === undefined
    ? fail(`${url} is no address of a platform. Write it like https://claw.int-os.com.`)
    : Effect.succeed(PlatformAddress.derive(parsed))
}

/** `--register`: a name is all a script says; who wants to say more has `clawfiber register`. */
const registerNow = Effect.fnUntraced(function* (all: ReadonlyArray<Account>, name: string) {
  const [account] = all
  if (account === undefined || all.length > 1) {
    return yield* fail("--register makes one agent, and there are several accounts. Name one with --account.")
  }
  const state = SubscriptionRef.getUnsafe(account.registrar.state)
  if (state._tag === "registered") {
    return yield* Effect.logInfo(
      `There is a profile in ${root} already (${state.name}): it is used, nothing is registered.`
    )
  }
  yield* account.registrar
    .submit({ proposal: proposals.named(name) })
    .pipe(Effect.mapError(({ message }) => new Failure({ message })))
})

const tell = (input: Input & Common, chosen: agents.Chosen, page: string | undefined) =>
  Effect.fnUntraced(function* (account: Account, standing: accountReport.Standing, alone: boolean) {
    const { description } = account.agent
    switch (standing._tag) {
      case "Underway":
        return
      case "OnLine": {
        const { profile, url } = standing.line
        if (input.json) {
          const { claw_id, name } = profile
          return yield* Output.event({
            event: "connected",
            account: account.id,
            url: url.href,
            claw_id,
            name,
            agent: description
          })
        }
        yield* Output.line(`${profile.name} (${profile.claw_id}) is on the line at ${url.host}.`)
        if (!alone) return
        yield* Output.line(`Answers:  ${description}`)
        if (chosen.note !== undefined) yield* Output.line(`          ${chosen.note}`)
        return yield* Output.line("Ctrl-C ends it.")
      }
      case "Pending": {
        const { proposal, proposalId } = standing
        if (input.json) {
          return yield* Output.event({ event: "pending", account: account.id, proposal_id: proposalId, proposal })
        }
        return yield* Output.line(proposals.inWords(account.id, proposal, page))
      }
      case "Stuck": {
        // Nobody is shown how it goes on, so it does not go on.
        if (alone && page === undefined) return yield* fail(standing.message)
        if (input.json) yield* Output.event({ event: "stuck", account: account.id, message: standing.message })
        return yield* Effect.annotateLogs(Effect.logWarning(standing.message), { account: account.id })
      }
    }
  })

/** The link opens everything, so it is for a person's eyes: a program that reads along gets the address alone. */
const tellPage = (input: Input & Common, page: control.Page) => {
  if (input.json) return Output.event({ event: "control", url: page.url })
  const moved = input.controlPort !== 0 && !page.url.endsWith(`:${input.controlPort}`)
  return Output.line(
    `Control page:  ${page.link}${moved ? `\n               (port ${input.controlPort} is in use by another program)` : ""}`
  )
}

const serve = (input: Input & Common, chosen: agents.Chosen, settings: settingViews.Options, worked: working.Options) =>
  Effect.gen(function* () {
    const all = yield* Accounts
    const name = Option.getOrUndefined(input.register)
    if (name !== undefined) yield* registerNow(SubscriptionRef.getUnsafe(all.all), name)
    const work = yield* working.make(input, all, worked)
    const seats = yield* worldly.make(all, {
      ...worked,
      runtime: chosen.runtime,
      serverUrl: worked.settings.claworldUrl,
      lookEvery: "10 seconds"
    })
    const page = input.control
      ? yield* control.serve({ root, port: input.controlPort, settings }, work, worldly.inWorlds(seats))
      : undefined
    if (page !== undefined) yield* tellPage(input, page)
    const say = tell(input, chosen, page?.link)
    return yield* accountReport.follow(all, (account, standing) =>
      say(account, standing, SubscriptionRef.getUnsafe(all.all).length === 1)
    )
  })

export const run = (input: Input & Common) =>
  withSettings({ json: input.json }, (settings, environment) =>
    Effect.gen(function* () {
      yield* chosenAccounts.check(input)
      if (input.work === "ask" && !input.control) {
        return yield* fail("Nobody can be asked without a control page. Say --work auto, or leave --no-control away.")
      }
      const { profileCreateUrl, wsUrl } = yield* addresses(Option.getOrUndefined(input.url), settings)
      if (!PlatformAddress.mayCarryKeys(wsUrl)) {
        return yield* fail(
          `${wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
        )
      }
      const chosen = yield* agents.choose({
        agent: Option.getOrUndefined(input.agent),
        exec: Option.getOrUndefined(input.exec),
        settings,
        environment
      })
      const agent = yield* Effect.catchTag(agents.alone(chosen.runtime), "AgentError", agents.inWords)
      yield* Cli.serving
      const options: accounts.Options = {
        root,
        ids: chosenAccounts.idsOf(input, root),
        wsUrl,
        profileCreateUrl,
        issuer: input.trustHost ? undefined : PlatformAddress.originOf(settings.wsUrl),
        settings,
        agent: { description: agent.description, model: agent.model },
        runtime: chosen.runtime,
        propose: (id) => (Option.isSome(input.register) ? undefined : proposals.ask(id, agent, settings)),
        sync: Option.getOrUndefined(input.sync)
      }
      // An address of the command line stands for the two that lie under it.
      const named = Option.isNone(input.url) ? {} : { wsUrl: wsUrl.href, profileCreateUrl: profileCreateUrl.href }
      const shown = { variables: environment, flags: { ...named, sync: Option.getOrUndefined(input.sync) } }
      return yield* serve(input, chosen, shown, { agent, root, settings, lookEvery: "30 seconds" }).pipe(
        Effect.provide(accounts.layer(options)),
        Effect.catchTag("DatabaseError", accounts.inUse(options))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
