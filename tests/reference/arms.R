# Models of two arms in two_arm.csv that R's mmrm results do not have, by nlme; two-sample and survival tests by base R and survival.
suppressMessages({library(nlme); library(survival); library(jsonlite)})
d <- read.csv("two_arm.csv")
first <- d[!duplicated(d$patient), ]; first$week <- 0; first$change <- 0
d <- rbind(first, d); d$y <- round(d$baseline + d$change, 1)
d <- d[!is.na(d$y), ]; d <- d[order(d$patient, d$week), ]
d$visit <- factor(d$week); d$index <- as.integer(d$visit); d$sex <- factor(d$sex); d$site <- factor(d$site)
for (w in c(0, 4, 8, 12, 16)) d[[paste0("drug", w)]] <- as.numeric(d$arm == "drug" & d$week == w)
one <- function(f, rows) {
  rows$index <- rows$index - min(rows$index) + 1L
  m <- gls(f, rows, correlation = corSymm(form = ~ index | patient), weights = varIdent(form = ~ 1 | index), method = "REML",
    control = glsControl(opt = "nlminb", maxIter = 500, msMaxIter = 2000, msTol = 1e-14, tolerance = 1e-10))
  s <- summary(m)$tTable
  s <- s[grepl("^drug", rownames(s)), 1:2, drop = FALSE]
  list(log_likelihood = as.numeric(logLik(m)), term = rownames(s), estimate = unname(s[, 1]), se = unname(s[, 2]))
}
later <- d[d$week > 0, ]; later$visit <- droplevels(later$visit)
models <- list(
  common = one(y ~ visit + drug4 + drug8 + drug12 + drug16 + sex + site, d),
  own = one(y ~ visit + drug0 + drug4 + drug8 + drug12 + drug16 + sex + site, d),
  covariate_by_visit = one(y ~ visit * baseline + drug4 + drug8 + drug12 + drug16 + sex + site, later))
ranks <- lapply(c(4, 8, 12, 16), function(w) {
  x <- d$y[d$arm == "drug" & d$week == w]; y <- d$y[d$arm == "placebo" & d$week == w]
  t <- suppressWarnings(wilcox.test(x, y, conf.int = TRUE, exact = FALSE))
  list(week = w, w = unname(t$statistic), p = t$p.value)
})
small <- list(x = c(1.1, 3.4, 2.2, 8.5, 6.3, 9.6, 7.7), y = c(4.5, 12.2, 10.1, 15.8, 11.3, 9.9))
t <- wilcox.test(small$x, small$y, conf.int = TRUE, exact = TRUE)
exact <- list(x = small$x, y = small$y, w = unname(t$statistic), p = t$p.value, estimate = unname(t$estimate), lower = t$conf.int[1], upper = t$conf.int[2])
last <- aggregate(week ~ patient + arm + sex, d, max); last$stopped <- last$week < 16
lr <- survdiff(Surv(week, stopped) ~ arm, last); ls <- survdiff(Surv(week, stopped) ~ arm + strata(sex), last)
write_json(list(models = models, ranks = ranks, exact = exact, log_rank = lr$chisq, log_rank_by_sex = ls$chisq),
  "arms.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
