# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches keep the registry and the compiled dependencies between builds; the result is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked -p rollcall-server --bin rollcall \
    && install -D target/dist/rollcall /out/rollcall

FROM debian:bookworm-slim
# The certificates of public authorities, for calls to DingTalk.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 rollcall \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/rollcall --create-home --shell /usr/sbin/nologin rollcall
COPY --from=build /out/rollcall /usr/local/bin/rollcall
USER 10001:10001
WORKDIR /var/lib/rollcall
# The master key is kept here unless ROLLCALL_MASTER_KEY_FILE names another file. The database is not in this image.
VOLUME /var/lib/rollcall
# A container is reached from outside only through the ports that are published.
ENV ROLLCALL_DATA_DIR=/var/lib/rollcall \
    ROLLCALL_LISTEN=0.0.0.0:8080 \
    ROLLCALL_LOG_FORMAT=json
EXPOSE 8080
ENTRYPOINT ["rollcall"]
CMD ["serve"]
