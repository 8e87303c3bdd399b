#!/usr/bin/env bash
# Plays a whole visit to the sample shop with curl and checks each step: on two instances that share one Redis, as behind a load balancer,
# and then on one with its embedded server. Builds nothing: run `dotnet build -c Release samples/Shop` before it.
# Needs redis-server, redis-cli and curl. Starts its own processes on free loopback ports and ends them, and only them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../samples/Shop" # wwwroot and appsettings.json are found from here
readonly shop=bin/Release/net10.0/Shop.dll
readonly products=(mug teapot notebook pencil lamp plant)

# What the caller's shell says about sessions is not about these.
unset "${!SESSION_@}" "${!RedisHashSession_@}" ASPNETCORE_URLS ASPNETCORE_HTTP_PORTS

work=$(mktemp -d)
readonly work jar=$work/cookies
pids=()
checks=0

end_all() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT TERM

ok() {
    checks=$((checks + 1))
    echo "ok: $*"
}

fail() {
    echo "FAILED: $*" >&2
    local log
    for log in "$work"/*.log; do
        [[ -e $log ]] || continue
        echo "--- the end of $(basename "$log"):" >&2
        tail -n 20 "$log" >&2
    done
    exit 1
}

# expect WHAT COMMAND...: the command succeeds, or WHAT did not happen.
expect() {
    local what=$1
    shift
    "$@" || fail "$what"
    ok "$what"
}

# poll SECONDS COMMAND...: until the command succeeds; false when it does not in time.
poll() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

redis() { redis-cli -h 127.0.0.1 -p "$redis_port" "$@"; }

redis_answers() { kill -0 "${pids[-1]}" && [[ $(redis ping) == PONG ]]; }

start_redis() {
    # redis-server does not choose a port by itself, and another process may be quicker: so try.
    for _ in {1..10}; do
        redis_port=$((20000 + RANDOM % 10000))
        redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
        pids+=($!)
        if poll 3 redis_answers; then return; fi
        kill "${pids[-1]}" 2>/dev/null || true
    done
    fail "redis-server does not start"
}

# start_shop NAME ARGUMENTS...: starts an instance on a port that it chooses itself; says where in $url. Each has a home of its own, as on a
# machine of its own: data-protection keys kept there would not be shared.
start_shop() {
    local name=$1 log=$work/$1.log
    shift
    mkdir "$work/$name"
    HOME=$work/$name dotnet "$shop" --urls http://127.0.0.1:0 "$@" >"$log" 2>&1 &
    pids+=($!)
    poll 20 grep -q 'Now listening on: ' "$log" || fail "$name does not start"
    url=$(grep -o -m 1 'http://127\.0\.0\.1:[0-9]*' "$log")
    poll 10 curl --silent --fail --max-time 5 "$url/shop.css" || fail "$name does not answer at $url"
}

# The browser: keeps its cookies, and its address has no port to a cookie, so all instances get the same ones.
browse() { curl --silent --show-error --max-time 10 --cookie "$jar" --cookie-jar "$jar" "$@"; }

# visit URL: the shop front, as $page, with the antiforgery token for the next form, as $token.
visit() {
    page=$(browse --fail "$1/") || fail "GET $1/"
    [[ $page =~ __RequestVerificationToken\"\ type=\"hidden\"\ value=\"([^\"]+)\" ]] || fail "there is no antiforgery token on the page"
    token=${BASH_REMATCH[1]}
}

# submit URL HANDLER FIELD...: posts one of the forms of the last page; succeeds when it is answered with a redirect to the front.
submit() {
    local target="$1/?handler=$2" field fields=()
    shift 2
    for field in "$@"; do fields+=(--data-urlencode "$field"); done
    [[ $(post "$target" "${fields[@]}" --data-urlencode "__RequestVerificationToken=$token") == 302 ]]
}

# post URL ARGUMENTS...: says the status.
post() { browse --output /dev/null --write-out '%{http_code}' --request POST "$@"; }

readonly one_more=(--header 'Content-Type: application/json' --data '{"quantity": 1}')
add_by_script() { post "$1/api/cart/$2" "${one_more[@]}"; }

page_has() { grep -qF -- "$1" <<<"$page"; }
page_lacks() { ! page_has "$1"; }

# The panel's own words: a field of the hash, the key's name, what is left of its life.
panel_has_field() { page_has "<th scope=\"row\">$1</th>"; }
panel_key() { [[ $page =~ HGETALL\ \<b\>([^\<]+)\</b\> ]] && echo "${BASH_REMATCH[1]}"; }
panel_ttl() { [[ $page =~ class=\"ttl\"\>\<b\>([0-9]+)\</b\> ]] && echo "${BASH_REMATCH[1]}"; }

between() { [[ $2 =~ ^[0-9]+$ ]] && (($1 <= $2 && $2 <= $3)); }

panel_has_whole_cart() {
    local product
    for product in "${products[@]}"; do
        panel_has_field "cart:$product" || return 1
    done
}

redis_has_whole_cart() {
    local product
    for product in "${products[@]}"; do
        between 1 "$(redis hget "$1" "cart:$product")" 4 || return 1
    done
}

# Every product on each instance, all at once. The cookie jar is only read: curl would write it in the middle of another's reading.
add_in_parallel() {
    local product instance adding=()
    for product in "${products[@]}"; do
        for instance in "$@"; do
            curl --silent --fail --max-time 10 --cookie "$jar" "${one_more[@]}" --output /dev/null "$instance/api/cart/$product" &
            adding+=($!)
        done
    done
    local add failed=0
    for add in "${adding[@]}"; do wait "$add" || failed=1; done
    return $failed
}

ends_on_request() {
    kill "$1" && wait "$1"
}

[[ -e $shop ]] || fail "$shop is not there: dotnet build -c Release samples/Shop"

echo "Two instances, one Redis"
start_redis
settings=(--session-redis "redis://127.0.0.1:$redis_port/0" --session-redis-prefix shop: --session-cookie-id shop-session --session-expire 600)
start_shop one "${settings[@]}"
one=$url
start_shop two "${settings[@]}"
two=$url
ok "instances at $one and $two, redis-server at port $redis_port"

visit "$one"
expect "instance 1 greets a first visit" page_has "Your first visit"
expect "the cookie has the name of --session-cookie-id" grep -q $'\tshop-session\t' "$jar"
visit "$two"
expect "instance 2 accepts the cookie and counts on" page_has "Visit 2"
visit "$one"
expect "instance 1 counts what instance 2 counted" page_has "Visit 3"

expect "a form without antiforgery token is refused" test "$(post "$one/?handler=SignIn" --data name=Eve)" == 400
visit "$one"
before=$(panel_key) || fail "the Redis panel names no key"
expect "signing in on instance 1" submit "$one" SignIn "name=Ada <Lovelace>"
expect "the key from before is dead" test "$(redis exists "$before")" == 0
visit "$two"
expect "instance 2 greets by name, HTML encoded" page_has "Hello, <strong>Ada &lt;Lovelace&gt;</strong>"
expect "the cart is empty" page_has "Nothing here yet."

expect "12 parallel adds on both instances are accepted" add_in_parallel "$one" "$two"
visit "$one"
expect "each of the ${#products[@]} products has arrived" panel_has_whole_cart
expect "a form of instance 1 posted to instance 2 adds too" submit "$two" Add product=mug
expect "removing a product" submit "$one" Remove product=lamp
visit "$two"
expect "instance 2 does not show it any more" page_lacks '<th scope="row">cart:lamp</th>'
expect "an unknown product is not found" test "$(add_by_script "$two" unicorn)" == 404
expect "the script interface takes JSON only" test "$(post "$two/api/cart/mug" --data quantity=1)" == 415
expect "the script interface adds it again" test "$(add_by_script "$two" lamp)" == 200

visit "$one"
key=$(panel_key) || fail "the Redis panel names no key"
expect "the Redis panel shows the key with prefix and public id" grep -qE '^shop:sessions:[A-Za-z0-9_-]{43}$' <<<"$key"
expect "the Redis panel shows the name" panel_has_field name
expect "the Redis panel shows the counter" panel_has_field visits
expect "the Redis panel shows a TTL within --session-expire" between 590000 "$(panel_ttl)" 600000
expect "redis-cli sees a hash" test "$(redis type "$key")" == hash
expect "redis-cli sees its TTL" between 590000 "$(redis pttl "$key")" 600000
expect "redis-cli reads the counter that the page shows" page_has "<p>Visit $(redis hget "$key" visits)</p>"
expect "redis-cli finds every product" redis_has_whole_cart "$key"
expect "there is one session and no other" test "$(redis --scan --pattern 'shop:sessions:*')" == "$key"

expect "instance 1 ends when asked to" ends_on_request "${pids[-2]}"
start_shop again "${settings[@]}"
visit "$url"
expect "one that starts in its place knows the cookie and the visitor" page_has "Hello, <strong>Ada"
one=$url

expect "signing out on instance 2" submit "$two" SignOut
expect "redis-cli sees that the session is gone" test "$(redis exists "$key")" == 0
visit "$one"
expect "instance 1 has forgotten the name" page_lacks "Hello,"
expect "instance 1 has forgotten the cart" page_has "Nothing here yet."
expect "instance 1 counts from the beginning" page_has "Your first visit"

echo "One instance with its embedded server"
rm "$jar"
start_shop embedded
expect "the console names the embedded server in one line" test "$(grep -c 'embedded Redis server (Garnet) at 127.0.0.1:' "$work/embedded.log")" == 1
visit "$url"
visit "$url"
expect "it counts" page_has "Visit 2"
expect "adding to the cart" submit "$url" Add product=teapot
expect "signing in" submit "$url" SignIn name=Grace
visit "$url"
expect "it greets by name" page_has "Hello, <strong>Grace</strong>"
expect "the Redis panel shows the cart" panel_has_field cart:teapot
expect "the Redis panel shows the default TTL" between 1190000 "$(panel_ttl)" 1200000
expect "it ends when asked to" ends_on_request "${pids[-1]}"

echo "$checks sample checks passed"
