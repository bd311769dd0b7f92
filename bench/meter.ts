// Lets the parent ask a peer what it has used: answers every message with CPU microseconds and resident bytes.
process.on("message", () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system, rss: process.memoryUsage().rss, heap: process.memoryUsage().heapUsed })
})
process.on("disconnect", () => process.exit(0))
