import "./styles/mantine.ts"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/chat.css"
import "./styles/thread.css"
import "./styles/prose.css"
import "./styles/composer.css"
import "./styles/agent.css"
import "./styles/mine.css"
import "./styles/market.css"
import "./styles/work.css"
import "./styles/worlds.css"
import "./i18n/index.ts"
import { MantineProvider } from "@mantine/core"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { Page } from "./Page.tsx"
import { Boundary } from "./shell/Boundary.tsx"
import { theme } from "./theme.ts"

const root = document.getElementById("root")
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <Boundary>
          <Page />
        </Boundary>
      </MantineProvider>
    </StrictMode>
  )
}
