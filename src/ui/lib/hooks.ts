import { useCallback, useSyncExternalStore } from "react"

/** The time in steps of `every` ms, as often as the page has to say a new one. */
export const useNow = (every: number): number =>
  useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        const timer = setInterval(changed, every)
        return () => clearInterval(timer)
      },
      [every]
    ),
    () => Math.floor(Date.now() / every) * every
  )

export const useMedia = (query: string): boolean =>
  useSyncExternalStore(
    (changed) => {
      const list = window.matchMedia(query)
      list.addEventListener("change", changed)
      return () => list.removeEventListener("change", changed)
    },
    () => window.matchMedia(query).matches
  )

export const useHash = (): string =>
  useSyncExternalStore(
    (changed) => {
      window.addEventListener("hashchange", changed)
      return () => window.removeEventListener("hashchange", changed)
    },
    () => window.location.hash
  )
