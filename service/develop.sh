#!/bin/sh
# What the development image starts: the API and the worker begin anew when one of their files is replaced.
case "$1" in
serve | worker) exec python -m watchfiles --sigint-timeout 30 "python -m bilten $1" /opt/bilten/service ;;
*) exec python -m bilten "$@" ;;
esac
