/** A TCP proxy that cuts connections after so many bytes, in the middle of whatever they are of. */
import * as Effect from "effect/Effect"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

/**
 * After how many bytes the connection of this number (0, 1 ...) is cut; undefined = it lives. `up`: counts what the
 * client sends, else what the server does.
 */
export type Plan = (connection: number) => { readonly after: number; readonly up: boolean } | undefined

export interface CuttingProxy {
  readonly port: number
  /** Connections so far. */
  readonly connections: () => number
  readonly cuts: () => number
  /** Cuts all that are open. */
  readonly cutAll: () => void
  /** While false, connections are refused. */
  readonly open: (yes: boolean) => void
}

const listen = (server: Server): Effect.Effect<number> =>
  Effect.callback((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
  })

export const make = Effect.fnUntraced(function* (target: number | (() => number), plan: Plan = () => undefined) {
  const pairs = new Set<readonly [Socket, Socket]>()
  let connections = 0
  let cuts = 0
  let open = true
  const server = createServer((near) => {
    if (!open) {
      near.destroy()
      return
    }
    const cut = plan(connections++)
    const far = connect(typeof target === "number" ? target : target(), "127.0.0.1")
    const pair = [near, far] as const
    pairs.add(pair)
    let left = cut?.after ?? Infinity
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    const pipe = (from: Socket, to: Socket, counted: boolean): void => {
      from.on("data", (chunk: Buffer) => {
        if (to.destroyed) return
        if (!counted || chunk.length < left) {
          if (counted) left -= chunk.length
          to.write(chunk)
          return
        }
        cuts++
        // What was let through arrives; the rest is lost without a word.
        to.write(chunk.subarray(0, left), end)
        from.removeAllListeners("data")
        from.resume()
      })
      from.on("close", end)
      from.on("error", end)
    }
    pipe(near, far, cut?.up === true)
    pipe(far, near, cut?.up === false)
  })
  const port = yield* listen(server)
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      server.close(() => resume(Effect.void))
    })
  )
  return {
    port,
    connections: () => connections,
    cuts: () => cuts,
    cutAll: () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
    },
    open: (yes) => {
      open = yes
    }
  } satisfies CuttingProxy
})
