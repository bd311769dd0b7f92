/** What is asked for again while somebody looks: others move tasks too. */
import { useCallback, useEffect, useRef, useState } from "react"

export interface Live<A> {
  /** The last that came. */
  readonly value: A | undefined
  /** Why the last attempt came to nothing; what is there stays. */
  readonly fault: unknown
  /** Asks now. */
  readonly refresh: () => Promise<void>
}

const nothing = async () => {}

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
  const asking = useRef<() => Promise<void>>(nothing)

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    /** What is asked for last wins, whatever order the answers come in. */
    let turn = 0
    let ended = false
    const ask = async () => {
      const mine = ++turn
      clearTimeout(timer)
      let value: A | undefined
      try {
        const found = await load()
        value = found
        if (turn === mine && !ended) setState({ of: load, value: found, fault: undefined })
      } catch (fault) {
        if (turn === mine && !ended) {
          setState((before) => ({ of: load, value: before.of === load ? before.value : undefined, fault }))
        }
      }
      if (turn === mine && !ended) timer = setTimeout(look, every(value))
    }
    const look = () => {
      if (document.visibilityState === "visible") void ask()
    }
    // A window that is shown again asks at once; a hidden one has no timer.
    document.addEventListener("visibilitychange", look)
    asking.current = ask
    void ask()
    return () => {
      ended = true
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", look)
    }
  }, [load, every])

  const refresh = useCallback(() => asking.current(), [])
  const isOurs = state.of === load
  return { value: isOurs ? state.value : undefined, fault: isOurs ? state.fault : undefined, refresh }
}
