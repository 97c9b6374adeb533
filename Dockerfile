# docker build -t daybook .
# docker run -v ./daybook.yaml:/etc/daybook/daybook.yaml:ro -v daybook:/data -e SHOP_PASSWORD -e CACHE_PASSWORD -p 9092:9092 daybook
# In the configuration: data_dir: /data, and a listener with address 0.0.0.0:9092, and tls or what else its security needs
# and as advertised the name that consumers reach the host by.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X daybook/cli.release=$VERSION" -o /out/daybook . \
 && mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/daybook /daybook
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
VOLUME /data
EXPOSE 9092
STOPSIGNAL SIGTERM
ENTRYPOINT ["/daybook"]
CMD ["serve", "-c", "/etc/daybook/daybook.yaml"]
