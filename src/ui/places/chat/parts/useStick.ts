import type { RefObject } from "react"
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react"

/** Within this many pixels of the end counts as being there. */
const NEAR = 48

/**
 * Keeps the newest words in view while the person is at the end, and never moves the page under one who reads above.
 * `first` names the oldest item: when older ones come in before it, what was in view stays where it was. `mine` counts
 * what the person has sent from here: that always comes into view.
 */
export const useStick = (first: string | undefined, mine: number) => {
  const scroller: RefObject<HTMLDivElement | null> = useRef(null)
  const content: RefObject<HTMLDivElement | null> = useRef(null)
  const sticks = useRef(true)
  const anchor = useRef<{ readonly id: string; readonly top: number } | undefined>(undefined)
  const [away, setAway] = useState(false)

  const toEnd = useCallback(() => {
    sticks.current = true
    const element = scroller.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }, [])

  // The end of a conversation that opens, and the person's own new message, come into view.
  const counted = useRef(-1)
  useLayoutEffect(() => {
    if (mine > counted.current && anchor.current === undefined) toEnd()
    counted.current = mine
  }, [mine, toEnd])

  useLayoutEffect(() => {
    const held = anchor.current
    const element = scroller.current
    if (held === undefined || held.id === first || element === null) return
    anchor.current = undefined
    const item = element.querySelector(`[data-message="${CSS.escape(held.id)}"]`)
    if (item !== null) element.scrollTop += item.getBoundingClientRect().top - held.top
  }, [first])

  useEffect(() => {
    const element = scroller.current
    const inner = content.current
    if (element === null || inner === null) return undefined
    const onScroll = () => {
      sticks.current = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR
      setAway(!sticks.current)
    }
    element.addEventListener("scroll", onScroll, { passive: true })
    const observer = new ResizeObserver(() => {
      if (sticks.current) element.scrollTop = element.scrollHeight
    })
    observer.observe(inner)
    observer.observe(element)
    return () => {
      element.removeEventListener("scroll", onScroll)
      observer.disconnect()
    }
  }, [])

  /** Call before older items are asked for. */
  const hold = useCallback(() => {
    if (first === undefined) return
    const item = scroller.current?.querySelector(`[data-message="${CSS.escape(first)}"]`)
    if (item !== null && item !== undefined) anchor.current = { id: first, top: item.getBoundingClientRect().top }
  }, [first])

  return { scroller, content, away, toEnd, hold }
}
