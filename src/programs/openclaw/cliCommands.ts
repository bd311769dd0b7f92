/** What `openclaw instaclaw …` does: it asks the running gateway, where the accounts are, and says it in sentences. */
import { createInterface } from "node:readline/promises"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { RegistrationView } from "../../services/channel/Control.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import { bad, type Finding, good, unknown } from "../run/doctor/Finding.ts"
import * as proposalFields from "../run/proposalFields.ts"
import * as proposals from "../run/proposals.ts"
import * as asking from "./cliAsking.ts"
import { type AccountSeen, ask, isJson, type Options, Refusal, running, say, text, wordsOf } from "./cliAsking.ts"
import { channel } from "./config.ts"
import { root as pageRoot } from "./pagePath.ts"

const accountsOf = (options: Options) => asking.accountsOf(channel, options)

const decode = Schema.decodeUnknownOption(RegistrationView)

const registrationOf = async (account: string): Promise<RegistrationView | undefined> => {
  const said = await ask("instaclaw.registration.get", { account_id: account }).catch(() => undefined)
  return said === undefined ? undefined : Option.getOrUndefined(decode(said))
}

const identity: Readonly<Record<RegistrationView["phase"], string>> = {
  absent: "no identity yet",
  proposing: "the agent is writing a proposal of who it is",
  pending: "a proposal waits for you",
  submitting: "it is being registered",
  coolingDown: "the last proposal was dropped; another one comes in a while",
  registered: "registered"
}

const commandFor = (id: string): string => `openclaw ${channel} register${id === "default" ? "" : ` --account ${id}`}`

/** Where nothing is said here, nothing is to be done. */
const todoOf = (account: AccountSeen, registration: RegistrationView | undefined): string | undefined => {
  if (account.connected) return undefined
  if (!account.enabled) return `Switch it on with: openclaw config set channels.${channel}.enabled true`
  if (registration === undefined) return "Look with: openclaw channels status, and openclaw logs"
  switch (registration.phase) {
    case "pending":
      return `Look at it and confirm it with: ${commandFor(account.id)}`
    case "absent":
      return registration.setback?.message ?? `Say who it is with: ${commandFor(account.id)} --name NAME`
    case "registered":
      return account.reason === undefined ? "It is being connected: look again in some seconds." : undefined
    case "proposing":
    case "submitting":
    case "coolingDown":
      return "Look again in a minute."
  }
}

export const status = (options: Options): Promise<void> =>
  running(async () => {
    const found = await Promise.all(
      (await accountsOf(options)).map(async (account) => ({ account, registration: await registrationOf(account.id) }))
    )
    if (isJson(options)) {
      const accounts = found.map(({ account, registration }) => ({
        ...account,
        reason: account.reason ?? null,
        phase: registration?.phase ?? null,
        claw_id: registration?.claw_id ?? null,
        proposal: registration?.proposal ?? null,
        todo: todoOf(account, registration) ?? null
      }))
      return say(JSON.stringify({ ok: true, page: `${pageRoot}/page/`, accounts }))
    }
    if (found.length === 0)
      say(`There is no account of ${channel} in this host. Put one in with: clawfiber openclaw install`)
    for (const { account, registration } of found) {
      const who =
        registration === undefined
          ? "does not run"
          : [identity[registration.phase], registration.claw_id ?? ""].filter((part) => part !== "").join(" as ")
      say(`${account.id}: ${account.connected ? "on the line" : "not on the line"}; ${who}.`)
      if (!account.connected && account.reason !== undefined) say(`  Why: ${account.reason}`)
      const todo = todoOf(account, registration)
      if (todo !== undefined) say(`  ${todo}`)
    }
    say(
      `The control page is at the gateway's address, under ${pageRoot}/page/#/agent; it asks for the gateway's token.`
    )
  }, options)

const flagsOf = (options: Options): proposalFields.Flags => {
  const flag = (name: string) => Option.fromUndefinedOr(text(options[name]))
  return {
    name: flag("name"),
    description: flag("description"),
    avatar: flag("avatar"),
    tags: flag("tags"),
    customTags: flag("customTags"),
    rate: flag("rate"),
    type: flag("type")
  }
}

const chosen = async (options: Options): Promise<AccountSeen> => {
  const all = await accountsOf(options)
  const [one] = all
  if (one === undefined) {
    throw new Refusal(`There is no account of ${channel} in this host. Put one in with: clawfiber openclaw install`)
  }
  if (all.length === 1) return one
  throw new Refusal(`Name the account with --account. There are: ${all.map(({ id }) => id).join(", ")}.`)
}

const agrees = async (): Promise<boolean> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^\s*y(?:es)?\s*$/i.test(await terminal.question("Register it like this? [y/N] "))
  } finally {
    terminal.close()
  }
}

export const register = (options: Options): Promise<void> =>
  running(async () => {
    const { id } = await chosen(options)
    const registration = await registrationOf(id)
    if (registration === undefined) {
      throw new Refusal(`The account ${id} does not run just now. Look with: openclaw ${channel} status`)
    }
    if (registration.phase === "registered") {
      throw new Refusal(`${id} is registered already, as ${registration.claw_id ?? "another"}. Nothing was changed.`)
    }
    const flags = flagsOf(options)
    const base = registration.proposal === null ? undefined : registration.proposal
    if (base === undefined && Option.isNone(flags.name)) {
      throw new Refusal(
        `${registration.setback?.message ?? `Nothing waits to be confirmed: ${identity[registration.phase]}.`} Look again in a minute, or say at least --name.`
      )
    }
    const checked = ProfileFields.check(proposalFields.merge(base, flags))
    if (checked._tag === "Failure") {
      throw new Refusal(
        `This cannot be registered.\n${checked.failure.map(({ field, message }) => `  ${proposalFields.flagName(field)}: ${message}`).join("\n")}`
      )
    }
    const proposal = checked.success
    if (options["yes"] !== true) {
      if (isJson(options)) say(JSON.stringify({ ok: true, registered: false, account: id, proposal }))
      else say(["It would register as:", ...proposals.lines(proposal)].join("\n"))
      const isPerson = process.stdin.isTTY === true && !isJson(options)
      if (!isPerson) throw new Refusal("Nothing was registered. Confirm it with --yes, or in a terminal.")
      if (!(await agrees())) throw new Refusal("Nothing was registered.")
    }
    const said = await ask(
      "instaclaw.registration.submit",
      {
        account_id: id,
        ...(registration.proposal_id === null ? {} : { proposal_id: registration.proposal_id }),
        proposal
      },
      true
    )
    const done = Option.getOrUndefined(decode(said))
    if (isJson(options))
      say(JSON.stringify({ ok: true, registered: true, account: id, claw_id: done?.claw_id ?? null }))
    else
      say(`Registered as ${proposal.name} (${done?.claw_id ?? "its id is on the control page"}). It connects at once.`)
  }, options)

const findingOf = (account: AccountSeen, registration: RegistrationView | undefined): Finding => {
  const about = { account: account.id }
  if (account.connected) return { ...good("line", "On the line, by pings and pongs."), ...about }
  const why = account.reason ?? (registration === undefined ? "it does not run" : identity[registration.phase])
  const todo = todoOf(account, registration)
  const words = `Not on the line: ${why.replace(/\.$/, "")}.${todo === undefined ? "" : ` ${todo}`}`
  const isStuck = account.enabled && (!account.running || registration?.phase === "registered")
  return { ...(isStuck ? bad : unknown)("line", words), ...about }
}

export const doctor = (options: Options): Promise<void> =>
  running(async () => {
    const found: Array<Finding> = []
    const seen = await accountsOf(options).catch((cause: unknown) => {
      if (cause instanceof Refusal) throw cause
      found.push(bad("gateway", `${wordsOf(cause)} Start it with: openclaw gateway start, or openclaw gateway run.`))
    })
    if (seen !== undefined) {
      found.push(good("gateway", "It runs, with the plugin in it."))
      if (seen.length === 0)
        found.push(bad("channel", "It has no account. Put one in with: clawfiber openclaw install"))
      for (const account of seen) found.push(findingOf(account, await registrationOf(account.id)))
    }
    const faults = found.filter(({ state }) => state === "bad").length
    if (isJson(options)) say(JSON.stringify({ ok: faults === 0, findings: found }))
    else {
      for (const { account, check, state, text } of found) {
        say(`${state.padEnd(7)}  ${account === undefined ? check : `${check} (${account})`}: ${text}`)
      }
    }
    if (faults > 0) process.exitCode = 1
  }, options)
