/** What every place of the page may use: who is signed in, the calls, the line, the chat's store. */
import { createContext, useContext, useSyncExternalStore } from "react"
import type { Http } from "./api/http.ts"
import type { ChatSocket } from "./link/ChatSocket.ts"
import type { LinkState } from "./link/link.ts"
import type { ChatState } from "./places/chat/state/model.ts"
import type { Chat } from "./places/chat/state/store.ts"

export interface Person {
  readonly token: string
  readonly name: string
}

export interface App {
  readonly person: Person
  readonly http: Http
  readonly chat: Chat
  readonly socket: ChatSocket
  readonly link: LinkState
  readonly signOut: () => void
}

export const AppContext = createContext<App | undefined>(undefined)

export const useApp = (): App => {
  const app = useContext(AppContext)
  if (app === undefined) throw new Error("useApp stands outside of a signed-in page")
  return app
}

/** Renders again only when the picked value changes: pick what the store holds, build nothing new. */
export const useChat = <A>(pick: (state: ChatState) => A): A => {
  const { chat } = useApp()
  return useSyncExternalStore(chat.subscribe, () => pick(chat.state()))
}
