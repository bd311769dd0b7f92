/**
 * What is on the screen stands in the address: #/worlds, #/worlds/new, #/worlds/requests, #/worlds/agents,
 * #/worlds/agent/<id>, #/worlds/talk/<id of its request>, #/worlds/world/<id>, and with /join or /edit behind it.
 */
import { useMemo } from "react"
import { useHash } from "../../lib/hooks.ts"

const plain = ["list", "new", "requests", "agents"] as const
const withId = ["world", "join", "edit", "agent", "talk"] as const

export type WorldsRoute =
  | { readonly view: (typeof plain)[number] }
  | { readonly view: (typeof withId)[number]; readonly id: string }

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return ""
  }
}

const list: WorldsRoute = { view: "list" }

export const readRoute = (hash: string): WorldsRoute => {
  const [place, view, part = "", sub] = hash.replace(/^#\/?/, "").split("/")
  if (place !== "worlds") return list
  if (view === "new" || view === "requests" || view === "agents") return { view }
  const id = decode(part)
  if (id === "") return list
  if (view === "world") return { view: sub === "join" || sub === "edit" ? sub : "world", id }
  return view === "agent" || view === "talk" ? { view, id } : list
}

export const writeRoute = (route: WorldsRoute): string => {
  if (!("id" in route)) return route.view === "list" ? "#/worlds" : `#/worlds/${route.view}`
  const id = encodeURIComponent(route.id)
  switch (route.view) {
    case "join":
    case "edit":
      return `#/worlds/world/${id}/${route.view}`
    default:
      return `#/worlds/${route.view}/${id}`
  }
}

export const go = (route: WorldsRoute): void => {
  window.location.hash = writeRoute(route)
}

export const useRoute = (): WorldsRoute => {
  const hash = useHash()
  return useMemo(() => readRoute(hash), [hash])
}
