import { useText } from "../../../i18n/index.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import type { Agent } from "../state/model.ts"

/** What every agent that comes with the platform understands; any other one takes them as a beginning. */
const tries = ["help", "long 800", "fail"]

export const FirstWords = (props: { readonly agent: Agent; readonly onTry: (text: string) => void }) => {
  const { agent } = props
  const { t } = useText()
  return (
    <div className="first-words">
      <Avatar id={agent.clawId} name={agent.name} avatar={agent.avatar} size={56} />
      <p className="first-words-lead">{t("thread.empty", { name: agent.name })}</p>
      {agent.description !== "" && <p className="soft first-words-about">{agent.description}</p>}
      <div className="tries">
        <span className="soft">{t("thread.try")}</span>
        {tries.map((text) => (
          <button key={text} type="button" className="chip" onClick={() => props.onTry(text)}>
            {text}
          </button>
        ))}
      </div>
      <p className="small soft">{t("thread.tryHint")}</p>
    </div>
  )
}
