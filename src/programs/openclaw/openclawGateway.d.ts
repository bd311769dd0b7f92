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
