import { useText } from "../../i18n/index.ts"
import { useMedia } from "../../lib/hooks.ts"
import { DeskProvider, useMakeDesk } from "./desk.ts"
import { AgentSettings } from "./parts/AgentSettings.tsx"
import { Agents } from "./parts/Agents.tsx"
import { Column } from "./parts/Column.tsx"
import { JoinForm } from "./parts/JoinForm.tsx"
import { Requests } from "./parts/Requests.tsx"
import { TalkView } from "./parts/TalkView.tsx"
import { CreateWorld, EditWorld } from "./parts/WorldForm.tsx"
import { WorldView } from "./parts/WorldView.tsx"
import type { WorldsRoute } from "./route.ts"
import { useRoute } from "./route.ts"

/** One rail's place: worlds, who is in them, and what the person's agents say to others there. */
export const WorldsPlace = () => {
  const { t } = useText()
  const route = useRoute()
  const narrow = useMedia("(max-width: 860px)")
  const desk = useMakeDesk()
  const withList = !narrow || route.view === "list"
  const withMain = !narrow || route.view !== "list"

  return (
    <DeskProvider value={desk}>
      <main className="market worlds" id="main" tabIndex={-1}>
        {withList && <Column route={route} />}
        {withMain && (
          <div className={route.view === "talk" ? "market-main worlds-talk-main" : "market-main"}>
            {narrow && (
              <a className="quiet market-back" href="#/worlds">
                {t("worlds.back")}
              </a>
            )}
            <View route={route} />
          </div>
        )}
      </main>
    </DeskProvider>
  )
}

const View = ({ route }: { readonly route: WorldsRoute }) => {
  const { t } = useText()
  switch (route.view) {
    case "list":
      return <p className="hint market-hint">{t("worlds.welcome")}</p>
    case "new":
      return <CreateWorld />
    case "requests":
      return <Requests />
    case "agents":
      return <Agents />
    case "agent":
      return <AgentSettings key={route.id} id={route.id} />
    case "talk":
      return <TalkView key={route.id} id={route.id} />
    case "world":
      return <WorldView key={route.id} id={route.id} />
    case "join":
      return <JoinForm key={route.id} id={route.id} />
    case "edit":
      return <EditWorld key={route.id} id={route.id} />
  }
}
