/**
 * Traces, metrics and the log to a collector by OTLP, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and nothing else
 * otherwise. The standard's variables hold: protocol (`http/protobuf`, `http/json`), headers, timeouts, single signals.
 *
 * With or without a collector: no key, token or ticket becomes part of a trace (`redacted`).
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"

export type Variables = Readonly<Record<string, string | undefined>>

/** Headers and parameters of addresses that are never written down. */
export const secretHeaders: ReadonlyArray<string | RegExp> = [
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "x-app-key",
  "x-app-secret",
  /token|secret|password/
]
export const secretParameters: ReadonlyArray<string | RegExp> = [
  /^(?:ticket|token|access_token|id_token|code|api[-_]?key|app[-_]?(?:key|secret)|key|secret|password|sig|signature)$/i,
  /^x-(?:amz|goog)-/i
]

export const redacted: Layer.Layer<never> = Layer.mergeAll(
  Layer.succeed(Headers.CurrentRedactedNames, secretHeaders),
  Layer.succeed(UrlParams.CurrentRedactedNames, secretParameters)
)

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname)

const off = (why: string): Layer.Layer<never> =>
  Layer.effectDiscard(Effect.logWarning(`Nothing is sent to OTEL_EXPORTER_OTLP_ENDPOINT: ${why}`))

const signals = ["", "TRACES_", "METRICS_", "LOGS_"]

/** Why this is not to be done, or undefined. The headers usually hold a key: it does not travel in clear. */
const objection = (environment: Variables): string | undefined => {
  const hasHeaders = signals.some((signal) => (environment[`OTEL_EXPORTER_OTLP_${signal}HEADERS`] ?? "") !== "")
  for (const signal of signals) {
    const text = environment[`OTEL_EXPORTER_OTLP_${signal}ENDPOINT`] ?? ""
    if (text === "") continue
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol)) return "it is no address. Write it like http://127.0.0.1:4318."
    if (hasHeaders && url.protocol === "http:" && !isLoopback(url.hostname)) {
      return `the headers for ${url.host} would travel in clear. Use https, or a collector on this machine.`
    }
  }
  return environment["OTEL_EXPORTER_OTLP_PROTOCOL"] === "grpc"
    ? "grpc is not spoken here. Set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json."
    : undefined
}

const exporting = (environment: Variables, version: string) =>
  Layer.unwrap(
    Effect.promise(async () => {
      // Loaded here, so that nobody who sends nothing waits for it.
      const [Otlp, Serialization] = await Promise.all([
        import("effect/observability/Otlp"),
        import("effect/observability/OtlpSerialization")
      ])
      const named = (environment["OTEL_SERVICE_NAME"] ?? "") !== ""
      return Otlp.layerFromConfig({
        resource: { ...(named ? {} : { serviceName: "clawfiber" }), serviceVersion: version },
        loggerMergeWithExisting: true
      }).pipe(
        Layer.provide(
          environment["OTEL_EXPORTER_OTLP_PROTOCOL"] === "http/json"
            ? Serialization.layerJson
            : Serialization.layerProtobuf
        )
      )
    })
  ).pipe(
    Layer.provide(FetchHttpClient.layer),
    // What is sent goes where the operator said.
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "error" })),
    Layer.provide(
      ConfigProvider.layer(
        ConfigProvider.fromEnvRecord({
          OTEL_TRACES_EXPORTER: "otlp",
          OTEL_METRICS_EXPORTER: "otlp",
          OTEL_LOGS_EXPORTER: "otlp",
          // A program ends within two seconds; a collector that does not answer must not keep it.
          OTEL_EXPORTER_OTLP_TIMEOUT: "400",
          ...environment
        })
      )
    )
  )

export const layer = (environment: Variables, version: string): Layer.Layer<never> => {
  if ((environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "") === "") return redacted
  const why = objection(environment)
  return Layer.merge(redacted, why === undefined ? exporting(environment, version) : off(why))
}
