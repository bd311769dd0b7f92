/** From a signed-in person to a working page: calls, socket and store, made once per sign-in. */
import type { Http } from "./api/http.ts"
import { ApiError, makeHttp } from "./api/http.ts"
import type { ChatSocket, Dialled, Heard } from "./link/ChatSocket.ts"
import { makeChatSocket } from "./link/ChatSocket.ts"
import type { LinkState } from "./link/link.ts"
import type { Chat } from "./places/chat/state/store.ts"
import { makeChat } from "./places/chat/state/store.ts"

export interface Session {
  readonly http: Http
  readonly chat: Chat
  readonly socket: ChatSocket
  readonly link: () => LinkState
  readonly subscribeLink: (listener: () => void) => () => void
  readonly start: () => void
  readonly end: () => void
}

/** At the next frame of the screen; a hidden window has no frames, so a timer stands behind. */
const soon = (run: () => void) => {
  let done = false
  const once = () => {
    if (done) return
    done = true
    cancelAnimationFrame(frame)
    clearTimeout(timer)
    run()
  }
  const frame = requestAnimationFrame(once)
  const timer = setTimeout(once, 250)
}

/** Not `crypto.randomUUID`: that one exists only over https and on loopback. */
const freshId = (): string =>
  `msg_${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`

const dial = (ticket: string, heard: Heard): Dialled => {
  const url = new URL("/ws/chat", window.location.href)
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  url.searchParams.set("ticket", ticket)
  const socket = new WebSocket(url)
  socket.addEventListener("open", heard.onOpen)
  socket.addEventListener("message", (event) => heard.onMessage(event.data))
  socket.addEventListener("close", heard.onClose)
  return { send: (data) => socket.send(data), close: () => socket.close() }
}

export const makeSession = (options: { readonly token: string; readonly onOver: () => void }): Session => {
  const listeners = new Set<() => void>()
  let network = new AbortController()
  const http = makeHttp(
    () => options.token,
    () => {
      if (!network.signal.aborted) options.onOver()
    }
  )

  const socket = makeChatSocket({
    ticket: async () => {
      try {
        const data = await http.json("POST", "/api/ticket", {})
        return { ticket: String((data as { readonly ticket?: unknown } | null)?.ticket ?? "") }
      } catch (cause) {
        if (cause instanceof ApiError && cause.status === 401) return "refused"
        throw cause
      }
    },
    dial,
    onFrame: (frame) => chat.onFrame(frame),
    onState: (state) => {
      for (const listener of listeners) listener()
      if (state.phase === "open") void chat.onLine()
      if (state.phase === "waiting") chat.offLine()
    },
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    }
  })

  const chat = makeChat({
    http,
    send: (frame) => socket.send(frame),
    distrust: () => socket.distrust(),
    now: () => Date.now(),
    id: freshId,
    soon,
    after: (ms, run) => void setTimeout(run, ms)
  })

  const start = () => {
    network = new AbortController()
    const { signal } = network
    window.addEventListener("online", () => socket.tryNow(), { signal })
    window.addEventListener("offline", () => socket.distrust(), { signal })
    // A laptop that wakes: the person looks at the page before the timer would have run.
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") socket.tryNow()
      },
      { signal }
    )
    // What waits here unsent lives in this window only: the browser asks before it closes.
    window.addEventListener(
      "beforeunload",
      (event) => {
        if (chat.holdsUnsent()) event.preventDefault()
      },
      { signal }
    )
    socket.start()
  }

  return {
    http,
    chat,
    socket,
    link: socket.state,
    subscribeLink: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    start,
    end: () => {
      network.abort()
      socket.stop()
    }
  }
}
