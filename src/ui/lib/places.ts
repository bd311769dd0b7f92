/** Which places there are here: a platform has a chat, the program that runs an agent has a place for its operator. */
import { useEffect, useState } from "react"
import { base } from "./base.ts"
import { useHash } from "./hooks.ts"

export type PlaceId = "chat" | "market" | "worlds" | "agent"

const known: ReadonlyArray<PlaceId> = ["chat", "market", "worlds", "agent"]
const isPlace = (value: unknown): value is PlaceId => known.some((place) => place === value)

const ask = async (): Promise<ReadonlyArray<PlaceId>> => {
  const response = await fetch(`${base}/places.json`, { credentials: "omit" })
  const body: unknown = await response.json()
  const places = typeof body === "object" && body !== null && "places" in body ? body.places : undefined
  return Array.isArray(places) ? places.filter(isPlace) : []
}

/** Undefined until the answer is there. A server that does not answer is taken for a platform. */
export const usePlaces = (): ReadonlyArray<PlaceId> | undefined => {
  const [places, setPlaces] = useState<ReadonlyArray<PlaceId>>()
  useEffect(() => {
    ask().then(
      (found) => setPlaces(found.length === 0 ? ["chat"] : found),
      () => setPlaces(["chat"])
    )
  }, [])
  return places
}

/** The place in the address, where there is such a one; else the first there is. */
export const usePlace = (places: ReadonlyArray<PlaceId> | undefined): PlaceId | undefined => {
  const named = /^#\/?(\w+)/.exec(useHash())?.[1]
  if (isPlace(named) && (places === undefined || places.includes(named))) return named
  return places?.[0]
}
