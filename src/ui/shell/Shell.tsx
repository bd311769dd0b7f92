import type { ReactNode } from "react"
import { useText } from "../i18n/index.ts"
import type { PlaceId } from "../lib/places.ts"
import { Rail } from "./Rail.tsx"

export interface Standing {
  readonly place: PlaceId
  readonly places: ReadonlyArray<PlaceId>
  /** Who is signed in; the operator's place needs nobody. */
  readonly person?: { readonly name: string; readonly signOut: () => void } | undefined
}

/** The rail, and beside it one place. */
export const Shell = (props: Standing & { readonly children: ReactNode }) => {
  const { t } = useText()
  const skip = { chat: "app.skip", market: "market.skip", worlds: "worlds.skip", agent: "operator.skip" } as const
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          // The address says which place is on the screen: it stays as it is.
          event.preventDefault()
          document.getElementById("main")?.focus()
        }}
      >
        {t(skip[props.place])}
      </a>
      <div className="shell">
        <Rail place={props.place} places={props.places} person={props.person} />
        {props.children}
      </div>
    </>
  )
}
