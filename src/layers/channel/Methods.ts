/**
 * The methods of services/channel/Control over the accounts of this process: for the control server, the command line
 * and a host's gateway. What comes in is decoded, what goes wrong is a MethodError with a sentence and, where it is
 * about fields, the fields.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { MethodError, type MethodName, methods } from "../../services/channel/Control.ts"
import type { RegistrarError } from "../../services/channel/Registrar.ts"
import type { InWorlds } from "../../services/worlds/InWorlds.ts"
import type { WorldApiError } from "../../services/worlds/WorldApi.ts"
import type { Working } from "../../services/channel/Working.ts"
import { registrationView } from "./ControlView.ts"

type Params<Name extends MethodName> = (typeof methods)[Name]["params"]["Type"]
type Value<Name extends MethodName> = (typeof methods)[Name]["result"]["Type"]

export interface Methods {
  /** `params` is what came over the wire. The value is plain JSON that fits the method's result. */
  readonly call: (name: string, params: unknown) => Effect.Effect<unknown, MethodError>
}

const refuse = (code: MethodError["code"], message: string, fields: MethodError["fields"] = []) =>
  new MethodError({ code, message, fields })

const isMethod = (name: string): name is MethodName => Object.hasOwn(methods, name)

const standardIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** The names at fault and never what was sent. */
const inWords = (name: string, error: Schema.SchemaError): MethodError => {
  const names = standardIssues(error.issue).issues.flatMap(({ path }) => {
    const first = path?.[0]
    return first === undefined ? [] : [String(typeof first === "object" ? first.key : first)]
  })
  const faults = [...new Set(names)]
  return faults.length === 0
    ? refuse("invalid_params", `${name} takes an object.`)
    : refuse(
        "invalid_params",
        `${name} cannot use ${faults.join(", ")}.`,
        faults.map((field) => ({ field, message: "This is missing or of the wrong kind." }))
      )
}

const fromRegistrar = (error: RegistrarError): MethodError => {
  const { reason } = error
  switch (reason._tag) {
    case "InvalidProposal":
      return refuse("invalid_params", error.message, reason.faults)
    case "NothingPending":
      return refuse("not_found", error.message)
    case "Busy":
    case "AlreadyRegistered":
      return refuse("conflict", error.message)
    case "ProfileError":
      return refuse("unavailable", error.message)
    case "ProfileApiError":
      return reason.reason._tag === "RegistrationRefused"
        ? refuse("refused", error.message, reason.reason.fields)
        : refuse(reason.transient ? "unavailable" : "refused", error.message)
  }
}

/** `working`: where the accounts do paid work. `worlds`: where they may be in Claworld. */
export const make = (
  accounts: Accounts["Service"],
  working?: Working["Service"],
  worlds?: InWorlds["Service"]
): Methods => {
  /** The one that is meant: by its id, or the only one, or `default`. */
  const find = Effect.fnUntraced(function* (params: { readonly account_id?: string }) {
    const all = yield* SubscriptionRef.get(accounts.all)
    const only = all.length === 1 ? all[0] : undefined
    const id = params.account_id ?? only?.id ?? "default"
    const account = Option.getOrUndefined(yield* accounts.get(id))
    if (account !== undefined) return account
    return yield* refuse(
      "unknown_account",
      all.length === 0
        ? "There is no account here yet."
        : `There is no account ${params.account_id === undefined ? "named default" : "of that name"}. Name one of: ${all.map((one) => one.id).join(", ")}.`
    )
  })

  const view = (account: Account) =>
    Effect.map(SubscriptionRef.get(account.registrar.state), (state) => registrationView(account.id, state))

  const workerOf = Effect.fnUntraced(function* (account: Account) {
    const worker = working === undefined ? undefined : yield* working.of(account.id)
    if (worker !== undefined) return worker
    return yield* refuse(
      "unavailable",
      "This agent looks for no work here. Start the program with --work ask or --work auto, or run clawfiber work."
    )
  })

  const seatOf = Effect.fnUntraced(function* (account: Account) {
    const seat = worlds === undefined ? undefined : yield* worlds.of(account.id)
    if (seat !== undefined) return seat
    return yield* refuse(
      "unavailable",
      "This agent is not in Claworld here. Give it an identity there with: clawfiber worlds activate"
    )
  })
  const fromWorlds = ({ message, transient }: WorldApiError) =>
    new MethodError({ code: transient ? "unavailable" : "refused", message, fields: [] })

  const table: {
    readonly [Name in MethodName]: (account: Account, params: Params<Name>) => Effect.Effect<Value<Name>, MethodError>
  } = {
    "instaclaw.registration.get": view,
    "instaclaw.registration.submit": (account, { proposal, proposal_id: proposalId }) =>
      account.registrar
        .submit({ proposalId, proposal })
        .pipe(Effect.mapError(fromRegistrar), Effect.andThen(view(account))),
    "instaclaw.registration.cancel": (account, { proposal_id: proposalId }) =>
      account.registrar.cancel({ proposalId }).pipe(Effect.mapError(fromRegistrar), Effect.andThen(view(account))),
    "instaclaw.connection.retry": (account) =>
      Effect.gen(function* () {
        yield* account.retry
        const line = Option.getOrUndefined(yield* SubscriptionRef.get(account.line))
        // One that waits for its next attempt does not wait any longer.
        if (line !== undefined && (yield* SubscriptionRef.get(line.connection.state)).phase === "reconnecting") {
          yield* line.connection.renew
        }
        return {}
      }),
    "instaclaw.reply.stop": (account, { response_id: responseId }) =>
      Effect.gen(function* () {
        const line = Option.getOrUndefined(yield* SubscriptionRef.get(account.line))
        return { stopped: line !== undefined && (yield* line.dispatcher.cancel({ responseId })) }
      }),
    "instaclaw.work.look": (account) => Effect.flatMap(workerOf(account), (worker) => Effect.as(worker.look, {})),
    "instaclaw.work.answer": (account, { take, task_id: taskId }) =>
      Effect.gen(function* () {
        return { heard: yield* (yield* workerOf(account)).answer(taskId, take) }
      }),
    "instaclaw.work.stop": (account, { task_id: taskId }) =>
      Effect.gen(function* () {
        return { stopped: yield* (yield* workerOf(account)).stop(taskId) }
      }),
    "claworld.talk.end": (account, { conversation_key: key }) =>
      Effect.flatMap(seatOf(account), (seat) => Effect.as(Effect.mapError(seat.end(key), fromWorlds), {})),
    "claworld.agent.block": (account, { agent_id: agentId }) =>
      Effect.flatMap(seatOf(account), (seat) => Effect.as(Effect.mapError(seat.block(agentId), fromWorlds), {}))
  }

  const run = Effect.fnUntraced(function* <Name extends MethodName>(
    name: Name,
    schema: Schema.Codec<Params<Name>, unknown>,
    params: unknown
  ) {
    const decoded = Schema.decodeUnknownResult(schema, { errors: "all" })(params ?? {})
    if (Result.isFailure(decoded)) return yield* inWords(name, decoded.failure)
    const account = yield* find(decoded.success)
    return yield* table[name](account, decoded.success)
  })

  return {
    call: Effect.fn("Methods.call")(function* (name: string, params: unknown) {
      if (!isMethod(name)) {
        return yield* refuse(
          "unknown_method",
          `There is no such method. There are: ${Object.keys(methods).join(", ")}.`
        )
      }
      return yield* run(name, methods[name].params, params)
    })
  }
}
