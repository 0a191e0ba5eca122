"""What is wrong with a connection."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # a part of a sentence: the host, and the proxy on the way to it
    "host_through_proxy": ("{host} through the proxy {proxy}", "{host}（经由代理 {proxy}）"),
    # no connection
    "name_of_proxy_was_not_found": (
        "The name of the proxy {proxy} was not found.",
        "找不到代理 {proxy} 的主机名。",
    ),
    "name_was_not_found": (
        "The name {host} was not found. Check the environment id and the network (DNS, VPN, proxy).",
        "找不到主机名 {host}。请检查环境 ID 和网络（DNS、VPN、代理）。",
    ),
    "certificate_is_not_trusted": (
        "The certificate of {host} cannot be trusted. If your network has its own certificate, set "
        "SSL_CERT_FILE to it; check the computer's clock too.",
        "{host} 的证书不可信。如果所在网络有自己的证书，请把 SSL_CERT_FILE 设为该证书；"
        "也请检查电脑的时钟。",
    ),
    "certificate_is_not_trusted_through": (
        "The certificate of {host} cannot be trusted through the proxy {proxy}. If your network has "
        "its own certificate, set SSL_CERT_FILE to it; check the computer's clock too.",
        "经由代理 {proxy} 得到的 {host} 的证书不可信。如果所在网络有自己的证书，"
        "请把 SSL_CERT_FILE 设为该证书；也请检查电脑的时钟。",
    ),
    "no_secure_connection": (
        "No secure connection to {host} could be made. If the server speaks plain HTTP, write http:// "
        "in place of https://. Else check whether a proxy is in between.",
        "无法与 {host} 建立安全连接。如果服务器只支持 HTTP，请把 https:// 换成 http://；"
        "否则请检查中间是否有代理。",
    ),
    "no_secure_connection_through": (
        "No secure connection to {host} could be made through the proxy {proxy}. If the server speaks "
        "plain HTTP, write http:// in place of https://. Else check whether a proxy is in between.",
        "无法经由代理 {proxy} 与 {host} 建立安全连接。如果服务器只支持 HTTP，"
        "请把 https:// 换成 http://；否则请检查中间是否有代理。",
    ),
    "nothing_answers_at_proxy": (
        "Nothing answers at the proxy {proxy}.",
        "代理 {proxy} 没有响应。",
    ),
    "nothing_answers": (
        "Nothing answers at {host}. Check the base URL and that the server is running.",
        "{host} 没有响应。请检查 base URL，并确认服务器正在运行。",
    ),
    "no_connection": (
        "No connection to {host}. Check the network and try again.",
        "无法连接：{host}。请检查网络后重试。",
    ),
    "no_connection_because": (
        "No connection to {host} ({reason}). Check the network and try again.",
        "无法连接：{host}（{reason}）。请检查网络后重试。",
    ),
    "connection_broke": (
        "The connection to {host} broke. Try again.",
        "与 {host} 的连接中断了。请重试。",
    ),
    "connection_broke_because": (
        "The connection to {host} broke ({reason}). Try again.",
        "与 {host} 的连接中断了（{reason}）。请重试。",
    ),
    # proxies
    "check_the_proxy": (
        "Check the environment variables http_proxy, https_proxy and all_proxy, or exclude the server "
        "with no_proxy.",
        "请检查环境变量 http_proxy、https_proxy 和 all_proxy，或用 no_proxy 排除该服务器。",
    ),
    "proxy_rejects_the_password": (
        "The proxy {proxy} does not accept the user name and the password of its address. Correct "
        "them, as in https_proxy=http://USER:PASSWORD@{proxy}; signs such as @ are written as %40.",
        "代理 {proxy} 不接受其地址中的用户名和密码。请改正，例如 "
        "https_proxy=http://USER:PASSWORD@{proxy}；@ 这类符号要写成 %40。",
    ),
    "proxy_wants_a_password": (
        "The proxy {proxy} wants a user name and a password. Write them into its address, as in "
        "https_proxy=http://USER:PASSWORD@{proxy}; signs such as @ are written as %40.",
        "代理 {proxy} 需要用户名和密码。请写进它的地址，例如 "
        "https_proxy=http://USER:PASSWORD@{proxy}；@ 这类符号要写成 %40。",
    ),
    "proxy_did_not_connect": (
        "The proxy {proxy} did not make the connection to {host}.",
        "代理 {proxy} 没有建立到 {host} 的连接。",
    ),
    "proxy_did_not_connect_because": (
        "The proxy {proxy} did not make the connection to {host} ({reason}).",
        "代理 {proxy} 没有建立到 {host} 的连接（{reason}）。",
    ),
    # time limits
    "connecting_took_too_long": (
        "Connecting to {host} took longer than allowed. Check the network and try again, or allow "
        "more: cbai.configure(timeout={{'connect': …}}).",
        "连接超时：{host}。请检查网络后重试，或放宽限制：cbai.configure(timeout={{'connect': …}})。",
    ),
    "late_connect": (
        "Connecting to {host} took longer than {seconds} s. Check the network and try again, or allow "
        "more: cbai.configure(timeout={{'connect': …}}).",
        "连接 {host} 超过了 {seconds} 秒。请检查网络后重试，或放宽限制："
        "cbai.configure(timeout={{'connect': …}})。",
    ),
    "late_first_token": (
        "{host} sent no token within {seconds} s. Try again, or allow more: "
        "cbai.configure(timeout={{'first_token': …}}).",
        "{host} 在 {seconds} 秒内没有发来任何词元。请重试，或放宽限制："
        "cbai.configure(timeout={{'first_token': …}})。",
    ),
    "late_between_tokens": (
        "{host} stopped sending for {seconds} s. Try again, or allow more: "
        "cbai.configure(timeout={{'between_tokens': …}}).",
        "{host} 已有 {seconds} 秒没有发来内容。请重试，或放宽限制："
        "cbai.configure(timeout={{'between_tokens': …}})。",
    ),
    "late_answer": (
        "{host} sent no whole answer within {seconds} s. Stream it, or try again, or allow more: "
        "cbai.configure(timeout={{'answer': …}}).",
        "{host} 在 {seconds} 秒内没有发来完整的回答。请改用流式，或重试，或放宽限制："
        "cbai.configure(timeout={{'answer': …}})。",
    ),
    "late_download": (
        "{host} did not deliver within {seconds} s. Try again.",
        "{host} 在 {seconds} 秒内没有完成下载。请重试。",
    ),
}
