import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import type { Person } from "./app.ts"
import { AppContext } from "./app.ts"
import { recall, remember } from "./lib/storage.ts"
import { ChatPlace } from "./places/chat/ChatPlace.tsx"
import { forgetFiles } from "./places/chat/parts/files.ts"
import { makeSession } from "./session.ts"
import { Rail } from "./shell/Rail.tsx"
import { SignIn } from "./shell/SignIn.tsx"
import { useText } from "./i18n/index.ts"

const recallPerson = (): Person | undefined => {
  const token = recall("token")
  return token === undefined ? undefined : { token, name: recall("name") ?? "" }
}

export const Page = () => {
  const [person, setPerson] = useState(recallPerson)
  const [over, setOver] = useState(false)

  const leave = useCallback((ended: boolean) => {
    remember("token", undefined)
    forgetFiles()
    setOver(ended)
    setPerson(undefined)
  }, [])

  const enter = useCallback((arrived: Person) => {
    remember("token", arrived.token)
    remember("name", arrived.name)
    setOver(false)
    setPerson(arrived)
  }, [])

  return person === undefined ? (
    <SignIn over={over} onSignedIn={enter} />
  ) : (
    <SignedIn key={person.token} person={person} onLeave={leave} />
  )
}

const SignedIn = (props: { readonly person: Person; readonly onLeave: (over: boolean) => void }) => {
  const { person, onLeave } = props
  const { t } = useText()
  const [session] = useState(() => makeSession({ token: person.token, onOver: () => onLeave(true) }))
  const link = useSyncExternalStore(session.subscribeLink, session.link)

  useEffect(() => {
    session.start()
    return session.end
  }, [session])

  const app = useMemo(
    () => ({
      http: session.http,
      chat: session.chat,
      socket: session.socket,
      person,
      link,
      signOut: () => onLeave(false)
    }),
    [session, person, link, onLeave]
  )

  return (
    <AppContext value={app}>
      <a className="skip" href="#main">
        {t("app.skip")}
      </a>
      <div className="shell">
        <Rail />
        <ChatPlace />
      </div>
    </AppContext>
  )
}
