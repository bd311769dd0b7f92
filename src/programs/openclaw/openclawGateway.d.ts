/** How a command of the plugin asks the running gateway, over its own authentication. */
declare module "openclaw/plugin-sdk/gateway-runtime" {
  /** Rejects where the gateway does not answer or says no. */
  export const callGatewayFromCli: (
    method: string,
    options: { readonly timeout?: string; readonly json?: boolean },
    params?: unknown,
    extra?: { readonly progress?: boolean; readonly scopes?: ReadonlyArray<string> }
  ) => Promise<Readonly<Record<string, unknown>>>
}

/** How a command of the plugin changes the host's configuration: under its lock, checked by it, written whole. */
declare module "openclaw/plugin-sdk/config-mutation" {
  /** Nothing is written where `mutate` throws, and where the host refuses what came of it. */
  export const mutateConfigFile: (params: {
    readonly base: "source"
    readonly afterWrite: { readonly mode: "auto" }
    readonly mutate: (draft: { channels?: Readonly<Record<string, unknown>> }) => void
  }) => Promise<unknown>
}
