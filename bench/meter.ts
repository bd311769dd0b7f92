// Lets the parent ask a process what it has used: answers every message with CPU microseconds and resident bytes.
const collect = (globalThis as { gc?: () => void }).gc

process.on("message", () => {
  collect?.()
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system, rss: process.memoryUsage().rss })
})
process.on("disconnect", () => process.exit(0))
process.channel?.unref()
