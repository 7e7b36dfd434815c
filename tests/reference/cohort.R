# Inference on cohort.csv (simulated: tests/models/simulated.py, cohort(60, [0, 4, 8, 16], 31)) by lmerTest, pbkrtest, emmeans
# and nlme. Writes cohort.json.
suppressMessages({library(nlme); library(emmeans); library(lmerTest); library(pbkrtest); library(jsonlite)})
emm_options(lmer.df = "kenward-roger")
d <- read.csv("cohort.csv"); for (v in c("visit", "sex", "arm")) d[[v]] <- factor(d[[v]])
f <- y ~ age + sex + arm * visit
r <- lmer(update(f, . ~ . + (1 | patient)), d, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))
l <- lme(f, d, random = ~ 1 | patient)
g <- gls(f, d, correlation = corSymm(form = ~ as.integer(visit) | patient), weights = varIdent(form = ~ 1 | visit))
tab <- function(x) { x <- as.data.frame(x); x[] <- lapply(x, function(v) if (is.factor(v)) as.character(v) else v); x }
co <- function(ddf) tab(data.frame(term = rownames(coef(summary(r))), coef(summary(r, ddf = ddf)), check.names = FALSE))
type3 <- anova(r, type = 3, ddf = "Kenward-Roger")
proportional <- function(of) tab(emmeans(r, of, weights = "proportional", lmer.df = "satterthwaite"))
out <- list(
  satterthwaite = co("Satterthwaite"), kenward_roger_expected = co("Kenward-Roger"),
  type3_kenward_roger = tab(data.frame(term = rownames(type3), type3, check.names = FALSE)),
  proportional_arm = proportional(~ arm), proportional_visit = proportional(~ visit),
  at_age_30_female = tab(emmeans(r, ~ arm | visit, at = list(age = 30, sex = "female"))),
  pairs_visit = tab(summary(pairs(emmeans(r, ~ visit), adjust = "none", reverse = TRUE), infer = TRUE)),
  lme_df = tab(data.frame(term = rownames(summary(l)$tTable), df = summary(l)$tTable[, "DF"])),
  gls_unstructured_log_likelihood = as.numeric(logLik(g)), lme_log_likelihood = as.numeric(logLik(l)))
write_json(out, "cohort.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
