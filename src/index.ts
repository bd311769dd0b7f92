/**
 * clawfiber as a library: what there is (contracts), how it is done (layers), and `defineAgent` for an agent of one's
 * own. Every module is also there by its path (`clawfiber/layers/channel/WsConnection`), which loads nothing else.
 */

// An agent of one's own.
export {
  type AgentDefinition,
  type AgentFunction,
  type AgentTurn,
  defineAgent
} from "./services/channel/defineAgent.ts"

// Contracts of the agent's side.
export * as AgentRuntime from "./services/channel/AgentRuntime.ts"
export * as Attachments from "./services/channel/Attachments.ts"
export * as Connection from "./services/channel/Connection.ts"
export * as Dispatcher from "./services/channel/Dispatcher.ts"
export * as Journal from "./services/channel/Journal.ts"
export * as ProfileStore from "./services/channel/ProfileStore.ts"
export * as ProfileApi from "./services/channel/ProfileApi.ts"
export * as Registrar from "./services/channel/Registrar.ts"
export * as Settings from "./services/channel/Settings.ts"
export * as Toolbox from "./services/channel/Toolbox.ts"
export * as Transcripts from "./services/channel/Transcripts.ts"

// Their layers.
export * as Account from "./layers/channel/Account.ts"
export * as CustomAgent from "./layers/channel/CustomAgent.ts"
export * as ExecAgent from "./layers/channel/ExecAgent.ts"
export * as FileProfileStore from "./layers/channel/FileProfileStore.ts"
export * as FileTranscripts from "./layers/channel/FileTranscripts.ts"
export * as HttpProfileApi from "./layers/channel/HttpProfileApi.ts"
export * as MemoryJournal from "./layers/channel/MemoryJournal.ts"
export * as MemoryProfileStore from "./layers/channel/MemoryProfileStore.ts"
export * as MemoryProfileApi from "./layers/channel/MemoryProfileApi.ts"
export * as MemoryTranscripts from "./layers/channel/MemoryTranscripts.ts"
export * as OfflineAgent from "./layers/channel/OfflineAgent.ts"
export * as OpenAiAgent from "./layers/channel/OpenAiAgent.ts"
export * as PlatformAttachments from "./layers/channel/PlatformAttachments.ts"
export * as RegistrationAgent from "./layers/channel/RegistrationAgent.ts"
export * as StreamingDispatcher from "./layers/channel/StreamingDispatcher.ts"
export * as ToolHandlers from "./layers/channel/ToolHandlers.ts"
export * as WsConnection from "./layers/channel/WsConnection.ts"

// The protocol both sides meet in.
export * as Dialect from "./services/protocol/Dialect.ts"
export * as Inbound from "./services/protocol/Inbound.ts"
export * as InstaClawApi from "./services/protocol/InstaClawApi.ts"
export * as ReplyLog from "./services/protocol/ReplyLog.ts"
export * as ResponseEvent from "./services/protocol/ResponseEvent.ts"
export * as Tools from "./services/protocol/Tools.ts"

// The platform.
export * as Server from "./layers/platform/Server.ts"
export * as Stores from "./layers/platform/Stores.ts"
