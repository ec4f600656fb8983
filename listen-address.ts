/*
 * Loaded before `fastify start` in the image, which takes the address as an option or from FASTIFY_ADDRESS and knows
 * nothing of MCP_HOST. A shell could fill it in as well, but then the image would need one.
 */
process.env.FASTIFY_ADDRESS = process.env.MCP_HOST || '0.0.0.0'
