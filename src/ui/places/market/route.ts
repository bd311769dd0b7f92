/** What is on the screen stands in the address: #/market, #/market/new, #/market/points, #/market/task/<id> */
import { useMemo } from "react"
import { useHash } from "../../lib/hooks.ts"

export type MarketRoute =
  | { readonly view: "list" }
  | { readonly view: "new" }
  | { readonly view: "points" }
  | { readonly view: "task"; readonly id: string }

const decode = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

export const readRoute = (hash: string): MarketRoute => {
  const [place, view, part = ""] = hash.replace(/^#\/?/, "").split("/")
  if (place !== "market") return { view: "list" }
  if (view === "new" || view === "points") return { view }
  const id = view === "task" ? decode(part) : undefined
  return id === undefined || id === "" ? { view: "list" } : { view: "task", id }
}

export const writeRoute = (route: MarketRoute): string => {
  switch (route.view) {
    case "list":
      return "#/market"
    case "task":
      return `#/market/task/${encodeURIComponent(route.id)}`
    default:
      return `#/market/${route.view}`
  }
}

export const go = (route: MarketRoute): void => {
  window.location.hash = writeRoute(route)
}

export const useRoute = (): MarketRoute => {
  const hash = useHash()
  return useMemo(() => readRoute(hash), [hash])
}
