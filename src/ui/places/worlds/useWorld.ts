/** One world, asked for again while somebody looks. */
import { useCallback } from "react"
import { useApp } from "../../app.ts"
import { useLive } from "../market/live.ts"
import { pathOf } from "./desk.ts"
import { readWorld } from "./state/model.ts"

const often = () => 8_000

export const useWorld = (id: string) => {
  const { http } = useApp()
  return useLive(
    useCallback(async () => readWorld(await http.json("GET", pathOf("worlds", id))), [http, id]),
    often
  )
}
