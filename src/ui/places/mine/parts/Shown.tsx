import { Group, TextInput } from "@mantine/core"
import type { ReactNode } from "react"
import { CopyButton } from "../../../shell/CopyButton.tsx"

/** What is shown this once: selected as soon as it is touched, copied by a button. */
export const Shown = (props: {
  readonly once: string
  readonly label: string
  readonly value: string
  readonly copy: string
  readonly children?: ReactNode
}) => (
  <div className="key-made">
    <p role="status">{props.once}</p>
    <TextInput
      label={props.label}
      value={props.value}
      readOnly
      onFocus={(event) => event.currentTarget.select()}
      classNames={{ input: "mine-secret" }}
    />
    <Group justify="flex-end" mt="sm">
      <CopyButton text={props.value} label={props.copy} />
      {props.children}
    </Group>
  </div>
)
