/**
 * What the control page of the host reads and does: one page for all accounts that run here. It is there while one of
 * them is, and its routes (pageRoutes) find it on the global object, as tools find the registry.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as ControlDesk from "../../layers/channel/ControlDesk.ts"
import type { Asked, Refusal } from "../../layers/channel/ControlGuards.ts"
import * as ControlRoutes from "../../layers/channel/ControlRoutes.ts"
import * as Methods from "../../layers/channel/Methods.ts"
import { QuietRef } from "../../layers/channel/QuietRef.ts"
import * as HttpGuards from "../../layers/http/HttpGuards.ts"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import * as settingViews from "../run/settingViews.ts"
import { version } from "../version.ts"
import { type Open, name, root } from "./pagePath.ts"

interface Room extends Open {
  readonly accounts: Map<string, Account>
  readonly all: QuietRef<ReadonlyArray<Account>>
  readonly scope: Scope.Closeable
}

const holder = globalThis as { [name]?: Room | undefined }

/**
 * The gateway has asked for its token, or knows the person. Left to us: that a page of another address does not call
 * (there is no CORS), and that whoever was given less than the right to write only reads.
 */
const refused = ({ headers }: Asked, method: string): Refusal | undefined => {
  const host = headers["host"]
  const guards: HttpGuards.Options = { host: host ?? "", allowedHosts: [], allowedOrigins: [] }
  if (!HttpGuards.isAllowedOrigin(guards, headers["origin"], host)) {
    return {
      status: 403,
      code: "foreign_origin",
      message: "A page of another address may not steer this agent. Open the page at the gateway's own address."
    }
  }
  const scopes = headers["x-openclaw-scopes"]?.split(/[\s,]+/)
  if (method === "GET" || scopes === undefined) return undefined
  return scopes.includes("operator.write") || scopes.includes("operator.admin")
    ? undefined
    : {
        status: 403,
        code: "no_right",
        message: "Your access to this gateway is for reading. Ask its operator to write."
      }
}

const open = Effect.gen(function* () {
  const accounts = new Map<string, Account>()
  const all = new QuietRef<ReadonlyArray<Account>>([])
  const service: Accounts["Service"] = {
    all,
    get: (id) => Effect.sync(() => Option.fromUndefinedOr(accounts.get(id)))
  }
  const scope = yield* Scope.make()
  const handle = yield* Effect.gen(function* () {
    const desk = yield* ControlDesk.make({ version, settings: settingViews.make({ variables: process.env }) })
    desk.attach(service, Methods.make(service).call)
    const app = yield* HttpRouter.toHttpEffect(ControlRoutes.layer({ desk, prefix: root, refused }))
    return yield* NodeHttpServer.makeHandler(app, { scope })
  }).pipe(Scope.provide(scope), Effect.provide(NodeHttpServer.layerHttpServices))
  const room: Room = { accounts, all, handle, scope }
  return room
})

const show = (room: Room): void => room.all.put([...room.accounts.values()])

/** Shows the account on the page until the scope is closed. */
export const join = (account: Account): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.gen(function* () {
        if (holder[name] === undefined) {
          const made = yield* open
          // Another account may have been quicker.
          if (holder[name] === undefined) holder[name] = made
          else yield* Scope.close(made.scope, Exit.void)
        }
        const room = holder[name]
        room.accounts.set(account.id, account)
        show(room)
        return room
      }),
      Effect.fnUntraced(function* (room) {
        // A later one of the same account stays.
        if (room.accounts.get(account.id) === account) room.accounts.delete(account.id)
        show(room)
        if (room.accounts.size > 0) return
        if (holder[name] === room) holder[name] = undefined
        yield* Scope.close(room.scope, Exit.void)
      })
    )
  )
