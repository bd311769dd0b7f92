import type { ReactNode } from "react"

/** Names and figures side by side. */
export const Facts = (props: { readonly items: ReadonlyArray<readonly [name: string, value: ReactNode]> }) => (
  <dl className="worlds-facts">
    {props.items.map(([name, value]) => (
      <div key={name}>
        <dt className="soft">{name}</dt>
        <dd className="wrap">{value}</dd>
      </div>
    ))}
  </dl>
)
