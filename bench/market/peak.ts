// Lets the parent ask a process how much it has held at most: answers every message with resident bytes.
process.on("message", () => process.send?.(process.resourceUsage().maxRSS * 1024))
process.on("disconnect", () => process.exit(0))
process.channel?.unref()
