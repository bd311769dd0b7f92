/** Which methods a path takes: who comes with another one is told so, and not that there is nothing. */
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"

interface Route {
  readonly method: string
  readonly path: RegExp
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:[A-Za-z_]+/g, "[^/]+")}$`)

const ofApi: ReadonlyArray<readonly [string, string]> = Object.values(InstaClawApi.groups).flatMap((group) =>
  Object.values(group.endpoints).map(({ method, path }) => [method, path] as const)
)

const routes: ReadonlyArray<Route> = [
  ...ofApi,
  ["GET", "/ws"] as const,
  ["GET", "/ws/chat"] as const,
  ["GET", "/v1/responses"] as const,
  ["GET", "/docs"] as const,
  ["GET", "/openapi.json"] as const
].map(([method, path]) => ({ method, path: patternOf(path) }))

/** Empty: nothing is known of this path. */
export const methodsOf = (path: string): ReadonlyArray<string> => [
  ...new Set(routes.flatMap((route) => (route.path.test(path) ? [route.method] : [])))
]
