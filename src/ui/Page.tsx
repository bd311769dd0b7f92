import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import type { Person } from "./app.ts"
import { AppContext } from "./app.ts"
import type { PlaceId } from "./lib/places.ts"
import { usePlace, usePlaces } from "./lib/places.ts"
import { recall, remember } from "./lib/storage.ts"
import { AgentPlace } from "./places/agent/AgentPlace.tsx"
import { ChatPlace } from "./places/chat/ChatPlace.tsx"
import { MarketPlace } from "./places/market/MarketPlace.tsx"
import { WorldsPlace } from "./places/worlds/WorldsPlace.tsx"
import { forgetFiles } from "./places/chat/parts/files.ts"
import { makeSession } from "./session.ts"
import { Shell } from "./shell/Shell.tsx"
import { SignIn } from "./shell/SignIn.tsx"

const recallPerson = (): Person | undefined => {
  const token = recall("token")
  return token === undefined ? undefined : { token, name: recall("name") ?? "" }
}

export const Page = () => {
  const [person, setPerson] = useState(recallPerson)
  const [over, setOver] = useState(false)
  const places = usePlaces()
  const place = usePlace(places)

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

  // What there is here is asked for once, and known in a blink.
  if (place === undefined) return null
  const known = places ?? [place]
  if (person !== undefined && known.includes("chat")) {
    return <SignedIn key={person.token} person={person} onLeave={leave} place={place} places={known} />
  }
  return place === "agent" ? (
    <Shell place={place} places={known}>
      <AgentPlace />
    </Shell>
  ) : (
    <SignIn over={over} onSignedIn={enter} operator={known.includes("agent")} />
  )
}

const SignedIn = (props: {
  readonly person: Person
  readonly place: PlaceId
  readonly places: ReadonlyArray<PlaceId>
  readonly onLeave: (over: boolean) => void
}) => {
  const { person, onLeave } = props
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
      <Shell place={props.place} places={props.places} person={{ name: person.name, signOut: () => onLeave(false) }}>
        {props.place === "agent" ? (
          <AgentPlace />
        ) : props.place === "market" ? (
          <MarketPlace isOperator={props.places.includes("agent")} />
        ) : props.place === "worlds" ? (
          <WorldsPlace />
        ) : (
          <ChatPlace />
        )}
      </Shell>
    </AppContext>
  )
}
