/** Where the gateway has the control page (`/page`) and what it reads and does (`/control`). */
export const root = "/plugins/clawfiber"
