# Node 22.19 or later with npm. Give a digest where builds have to be reproducible: --build-arg BASE=node@sha256:…
ARG BASE=node:24-bookworm-slim

# What runs in production. Install scripts stay off: no dependency needs one.
FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts
# What is in the image, for whoever has to know: CycloneDX. npm's own --omit=dev leaves out what development needs as well.
RUN npm pkg delete devDependencies \
 && npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM ${BASE}
LABEL org.opencontainers.image.title="Django MCP Server" \
      org.opencontainers.image.description="Puts an existing Django REST Framework API in front of AI clients as MCP tools and resources" \
      org.opencontainers.image.licenses="MIT"

# The grace is when a shutdown that hangs is ended by force. It covers the longest DRAIN_SECONDS and CALL_TIMEOUT
# that the configuration takes, so that no setting cuts calls off; the orchestrator's own limit is the one to tune.
ENV NODE_ENV=production \
    PORT=8080 \
    FASTIFY_CLOSE_GRACE_DELAY=605000

WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=dependencies /app/sbom.cdx.json ./
# With it the package's own name resolves: for the version, and for tools that are mounted below /app.
COPY package.json LICENSE ./
# Nothing here needs a package manager or a shell at run time, or more rights than it was started with. The shells go
# last, and one of them does it.
RUN install -d custom/tools custom/resources \
 && install -d -o 1000 -g 1000 -m 0700 /tmp/mcp_server \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
    /usr/bin/apt* /usr/lib/apt /usr/bin/dpkg* \
 && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
 && rm -f $(grep ^/ /etc/shells) /bin/sh /usr/bin/sh

# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
VOLUME /tmp/mcp_server
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 \
  CMD ["node", "dist/healthcheck.js"]

# The entrypoint of the base is a script for a shell.
ENTRYPOINT []
CMD ["node", "--import", "./dist/listen-address.js", "node_modules/fastify-cli/cli.js", "start", "-o", "dist/app.js"]
