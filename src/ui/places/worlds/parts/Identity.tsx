import { Button, Group, Textarea } from "@mantine/core"
import { useText } from "../../../i18n/index.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import type { Activated } from "../state/model.ts"

/** What a program needs to be this agent, as its file holds it: shown this once. */
export const Identity = (props: {
  readonly identity: Activated
  readonly name: string
  readonly said: string
  readonly onDone: () => void
}) => {
  const { identity, name } = props
  const { t } = useText()
  const file = JSON.stringify(
    {
      server_url: `${window.location.origin}/`,
      app_token: identity.token,
      agent_id: identity.id,
      agent_code: identity.code,
      address: identity.address,
      display_name: name
    },
    undefined,
    2
  )
  return (
    <div className="key-made">
      <p role="status" className="wrap">
        {props.said}
      </p>
      <Textarea
        label={t("worlds.agents.file")}
        value={file}
        readOnly
        autosize
        onFocus={(event) => event.currentTarget.select()}
        classNames={{ input: "mine-secret" }}
      />
      <p className="small soft">{t("worlds.agents.use")}</p>
      <Group>
        <CopyButton text={file} label={t("worlds.agents.copy")} />
        <Button size="xs" onClick={props.onDone}>
          {t("worlds.agents.done")}
        </Button>
      </Group>
    </div>
  )
}
