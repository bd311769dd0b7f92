/** What is asked for again while somebody looks: others move tasks too. */
import { useCallback, useEffect, useRef, useState } from "react"

export interface Live<A> {
  /** The last that came. */
  readonly value: A | undefined
  /** Why the last attempt came to nothing; what is there stays. */
  readonly fault: unknown
  /** Asks now. */
  readonly refresh: () => Promise<unknown>
}

/**
 * `load` and `every` stay the same functions as long as the same is asked for; `every` gives the milliseconds until the
 * next time. Nothing is asked while the window is hidden.
 */
export const useLive = <A>(load: () => Promise<A>, every: (value: A | undefined) => number): Live<A> => {
  const [state, setState] = useState<{ readonly of: unknown; readonly value: A | undefined; readonly fault: unknown }>({
    of: load,
    value: undefined,
    fault: undefined
  })
  /** What is asked for last wins, whatever order the answers come in. */
  const turn = useRef(0)

  const refresh = useCallback(async () => {
    const mine = ++turn.current
    try {
      const value = await load()
      if (turn.current === mine) setState({ of: load, value, fault: undefined })
      return value
    } catch (fault) {
      if (turn.current === mine) {
        setState((before) => ({ of: load, value: before.of === load ? before.value : undefined, fault }))
      }
      return undefined
    }
  }, [load])

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let current = true
    const look = async () => {
      clearTimeout(timer)
      const value = document.visibilityState === "visible" ? await refresh() : undefined
      if (current) timer = setTimeout(() => void look(), every(value))
    }
    const shown = () => {
      if (document.visibilityState === "visible") void look()
    }
    document.addEventListener("visibilitychange", shown)
    void look()
    return () => {
      current = false
      turn.current += 1
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", shown)
    }
  }, [refresh, every])

  const isOurs = state.of === load
  return { value: isOurs ? state.value : undefined, fault: isOurs ? state.fault : undefined, refresh }
}
