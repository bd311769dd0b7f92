import { useCallback, useEffect, useMemo, useState } from "react"
import type { Person } from "./app.ts"
import { AppContext } from "./app.ts"
import { recall, remember } from "./lib/storage.ts"
import type { LinkState } from "./link/link.ts"
import { ChatPlace } from "./places/chat/ChatPlace.tsx"
import { forgetFiles } from "./places/chat/parts/files.ts"
import type { Session } from "./session.ts"
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
  const [session, setSession] = useState<Session>()
  const [link, setLink] = useState<LinkState>({ phase: "idle" })

  useEffect(() => {
    const made = makeSession({ token: person.token, onState: setLink, onOver: () => onLeave(true) })
    setSession(made)
    made.socket.start()
    return made.end
  }, [person.token, onLeave])

  const app = useMemo(
    () => (session === undefined ? undefined : { ...session, person, link, signOut: () => onLeave(false) }),
    [session, person, link, onLeave]
  )

  if (app === undefined) return null
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
