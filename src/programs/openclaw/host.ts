/** The host's surface for a plugin, as far as we use it (OpenClaw 2026.9.6). */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { ChannelRuntime, Config } from "../../layers/channel/openclaw/Host.ts"
import type { Account } from "./config.ts"

export interface Log {
  readonly info: (message: string) => void
  readonly warn: (message: string) => void
  readonly error: (message: string) => void
  readonly debug?: ((message: string) => void) | undefined
}

/** What `openclaw channels status` shows of an account. Times are milliseconds since the epoch. */
export interface AccountStatus {
  readonly accountId: string
  readonly enabled?: boolean
  readonly configured?: boolean
  readonly running?: boolean
  readonly connected?: boolean
  readonly lifecycle?: "starting" | "ready" | "recovering" | "blocked" | "stopped"
  readonly stateReason?: string
  readonly reconnectAttempts?: number
  readonly lastConnectedAt?: number | null
  readonly lastInboundAt?: number | null
  readonly lastOutboundAt?: number | null
  readonly lastError?: string | null
  readonly dmPolicy?: string
  readonly busy?: boolean
  readonly activeRuns?: number
  readonly lastRunActivityAt?: number | null
}

export interface GatewayContext<A = Account> {
  readonly cfg: Config
  readonly accountId: string
  readonly account: A
  readonly abortSignal: AbortSignal
  readonly log?: Log | undefined
  readonly setStatus: (status: AccountStatus) => void
  readonly channelRuntime?: ChannelRuntime | undefined
}

/** A row of the host's about one of its sessions; it has many more fields, and other ones with other versions. */
export type SessionEntry = Readonly<Record<string, unknown>>

export interface PluginRuntime {
  readonly channel: ChannelRuntime
  readonly state: { readonly resolveStateDir: () => string }
  readonly agent: {
    readonly session: {
      readonly listSessionEntries: (at: {
        readonly agentId: string
      }) => ReadonlyArray<{ readonly sessionKey: string; readonly entry: SessionEntry }>
      /** `update` gives what changes, a key with `undefined` to be dropped, or null for nothing. */
      readonly patchSessionEntry: (patch: {
        readonly agentId: string
        readonly sessionKey: string
        readonly update: (entry: SessionEntry) => SessionEntry | null
      }) => Promise<unknown>
    }
  }
}

/** One part of a message, as the host hands it over. */
export interface Sending {
  readonly cfg: Config
  readonly to: string
  readonly text: string
  readonly accountId?: string | null
  readonly mediaUrl?: string
  readonly mediaAccess?: unknown
  readonly mediaLocalRoots?: ReadonlyArray<string>
  readonly mediaReadFile?: unknown
  readonly signal?: AbortSignal
  readonly deliveryQueueId?: string
  readonly deliveryPartIndex?: number
  readonly onPlatformSendDispatch?: () => Promise<void>
  readonly assertDirectAdapterHandoff?: () => void
}

/** What the host holds as the proof that a message was taken. */
export interface Receipt {
  readonly primaryPlatformMessageId: string
  readonly platformMessageIds: ReadonlyArray<string>
  readonly parts: ReadonlyArray<{
    readonly platformMessageId: string
    readonly kind: "text" | "media"
    readonly index: number
  }>
  readonly sentAt: number
}

export interface GatewayRequest {
  readonly params: Readonly<Record<string, unknown>>
  readonly respond: (
    ok: boolean,
    payload?: unknown,
    error?: { readonly code: string; readonly message: string; readonly details?: unknown }
  ) => void
}

export interface AgentTool {
  readonly name: string
  readonly label: string
  readonly description: string
  readonly parameters: object
  readonly execute: (
    callId: string,
    params: unknown,
    signal?: AbortSignal
  ) => Promise<{
    readonly content: ReadonlyArray<{ readonly type: "text"; readonly text: string }>
    readonly details: unknown
  }>
}

/** Where a tool is asked for. All of it is said by the host, and not by a model. */
export interface ToolContext {
  readonly sessionKey?: string | undefined
  readonly messageChannel?: string | undefined
  readonly agentAccountId?: string | undefined
  readonly config?: Config | undefined
}

/** A route of the gateway's HTTP server. `auth: "gateway"`: only whoever the gateway has let in reaches it. */
export interface HttpRoute {
  readonly path: string
  readonly auth: "gateway" | "plugin"
  readonly match: "exact" | "prefix"
  /** Answers whether it has taken the request. Work of the host's until it settles. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>
}

/** Of the host's command line (Commander), as far as we use it. */
export interface CliCommand {
  readonly command: (name: string) => CliCommand
  readonly description: (text: string) => CliCommand
  readonly option: (flags: string, description: string) => CliCommand
  readonly action: (run: (options: Readonly<Record<string, unknown>>) => Promise<void>) => CliCommand
}

export interface CliDescriptor {
  readonly name: string
  readonly description: string
  readonly hasSubcommands: boolean
}

export interface PluginApi {
  /** How the plugin was loaded: `full` in a gateway, `tool-discovery` and others elsewhere. */
  readonly registrationMode?: string
  /** One plugin may have several. */
  readonly registerChannel: (registration: { readonly plugin: ChannelPlugin }) => void
  readonly runtime: PluginRuntime
  readonly registerHttpRoute: (route: HttpRoute) => void
  readonly registerCli: (
    registrar: (context: { readonly program: CliCommand; readonly config: Config }) => Promise<void> | void,
    options: { readonly descriptors: ReadonlyArray<CliDescriptor> }
  ) => void
  readonly registerGatewayMethod: (
    method: string,
    handler: (request: GatewayRequest) => Promise<void> | void,
    options?: { readonly scope?: string }
  ) => void
  /** With the names: what a factory makes has to be declared before it is made. */
  readonly registerTool: (
    factory: (context: ToolContext) => ReadonlyArray<AgentTool>,
    options: { readonly names: ReadonlyArray<string> }
  ) => void
}

export interface ChannelPlugin {
  readonly id: string
}

export interface PluginEntry {
  readonly id: string
  readonly register: (api: PluginApi) => void
}
